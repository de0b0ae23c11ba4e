import { JobError } from "../errors/index.ts";
import type { ModelVersion, Workflow, WorkflowContext } from "./workflow.ts";

/**
 * Federated evaluation (FLARE: GlobalModelEval): every ready site measures the model as submitted on its held-out examples, and
 * nobody trains. What each site measured is shown beside the mean, which is weighted by examples.
 */
export const federatedEvaluation: Workflow = {
  name: "federated-evaluation",
  version: 1,
  async run(context) {
    await measure(context, { subject: "", round: 1, model: context.initialModel });
  },
};

/** A model, and whose it is. */
interface Subject {
  /** Name of the site; empty for the model of the job itself. */
  readonly subject: string;
  /** Round of the job. */
  readonly round: number;
  readonly model: ModelVersion;
}

/**
 * Cross-site evaluation (FLARE: CrossSiteModelEval): each of the first sites by name trains a model of its own from the one that
 * was submitted, one site in each round; then every site measures all of them and the submitted one on its held-out examples.
 */
export const crossSiteEvaluation: Workflow = {
  name: "cross-site-evaluation",
  version: 1,
  async run(context) {
    const { rounds, minimumSites } = context.definition.workflow;
    const sites = (await context.readySites()).slice(0, rounds);
    const subjects: Subject[] = [{ subject: "", round: 1, model: context.initialModel }];
    for (const [index, site] of sites.entries()) {
      const round = index + 1;
      const order = { kind: "train", round, model: context.initialModel, minimumContributions: 1 } as const;
      const { model } = await context.aggregate(await context.send(order, [site]));
      if (model !== undefined) subjects.push({ subject: site, round, model });
    }
    const trained = subjects.length - 1;
    if (trained < minimumSites) {
      throw new JobError("ERR_JOB_TOO_FEW_SITES", `${trained} of ${minimumSites} sites trained a model`);
    }
    for (const subject of subjects) {
      await measure(context, subject);
      if (subject.subject !== "") await context.discard(subject.model);
    }
  },
};

/** Lets every ready site measure a model. @throws JobError `ERR_JOB_TOO_FEW_SITES` when fewer than the job's minimum did */
async function measure(context: WorkflowContext, { subject, round, model }: Subject): Promise<void> {
  const { minimumSites } = context.definition.workflow;
  const dispatch = await context.broadcast({ kind: "evaluate", round, model, subject });
  const { outcomes } = await context.aggregate(dispatch);
  const measured = outcomes.filter(({ evaluation }) => evaluation !== undefined).length;
  if (measured >= minimumSites) return;
  const whose = subject === "" ? "the model" : `the model of ${subject}`;
  throw new JobError("ERR_JOB_TOO_FEW_SITES", `${measured} of ${minimumSites} sites measured ${whose}`);
}
