import type { ContributionBody } from "../message/index.ts";
import { type TaskDataFacts, type TaskFacts, type TaskResultFacts, tensorFacts } from "../plugin/index.ts";
import type { Dispatch } from "../workflow/index.ts";
import type { JobContext } from "./job-context.ts";

/** What plug-ins are told of a task of a site. */
export function taskFacts(
  { facts: job }: Pick<JobContext, "facts">,
  { taskId, order }: Dispatch,
  site: string,
): TaskFacts {
  const { kind, round, model } = order;
  return { job, site, taskId, kind, round, version: model.version };
}

/** What they are told of the model that goes with it. */
export function taskDataFacts(context: JobContext, dispatch: Dispatch, site: string): TaskDataFacts {
  return { ...taskFacts(context, dispatch, site), tensors: tensorFacts(context.modelLayout.tensors) };
}

/** What they are told of an answer, as its site announced it. */
export function taskResultFacts(
  task: TaskFacts,
  body: Partial<Pick<ContributionBody, "tensors" | "norm" | "exampleCount" | "trainingLoss" | "evaluation">>,
): TaskResultFacts {
  const { tensors = [], norm = 0, exampleCount = 0, trainingLoss, evaluation } = body;
  const tellsMetrics = trainingLoss !== undefined || evaluation !== undefined;
  return { ...task, tensors: tensorFacts(tensors), norm, exampleCount, tellsMetrics };
}
