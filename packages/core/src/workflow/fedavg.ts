import { trainRound } from "./train-round.ts";
import type { Workflow } from "./workflow.ts";

/**
 * Federated averaging (McMahan et al. 2017, algorithm 1; FLARE: ScatterAndGather). Each round every ready site trains
 * the model on its own data, w_k ← SGD(w), and the server moves the model by the mean of the differences, weighted by
 * examples: w ← w + Σ (n_k / n) · (w_k − w). Sites evaluate what they receive before they train, so the last version
 * gets a task of its own.
 */
export const fedavg: Workflow = {
  name: "fedavg",
  version: 1,
  async run(context) {
    const { rounds } = context.definition.workflow;
    let model = context.initialModel;
    for (let round = 1; round <= rounds; round++) {
      const { dispatch, collected } = await trainRound(context, { kind: "train", round, model });
      model = await context.checkpoint(dispatch, collected);
    }
    await context.aggregate(await context.broadcast({ kind: "evaluate", round: rounds, model }));
  },
};
