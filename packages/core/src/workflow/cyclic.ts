import { trainRound } from "./train-round.ts";
import type { Dispatch, TaskOrder, Workflow, WorkflowContext } from "./workflow.ts";

/**
 * Cyclic weight transfer (Chang et al. 2018, "Distributed deep learning networks among institutions for medical imaging";
 * FLARE: CyclicController): the model goes from site to site, each trains it on its own data and hands it on. A round is one
 * visit; sites take turns by name. A site that does not answer is passed over.
 */
export const cyclic: Workflow = {
  name: "cyclic",
  version: 1,
  async run(context) {
    const { rounds } = context.definition.workflow;
    let model = context.initialModel;
    let previous = "";
    const visitNext = async (order: TaskOrder): Promise<Dispatch> => {
      previous = nextInTurn(await context.readySites(), previous);
      return await context.send(order, [previous]);
    };
    for (let round = 1; round <= rounds; round++) {
      const order: TaskOrder = { kind: "train", round, model, minimumContributions: 1 };
      const { dispatch, collected } = await trainRound(context, order, visitNext);
      model = await context.checkpoint(dispatch, collected);
    }
    await context.aggregate(await context.broadcast({ kind: "evaluate", round: rounds, model }));
  },
};

/** The site behind `previous` by name, from the first again behind the last. */
function nextInTurn(sites: Awaited<ReturnType<WorkflowContext["readySites"]>>, previous: string): string {
  return sites.find((site) => site > previous) ?? sites[0] ?? previous;
}
