import * as v from "valibot";
import { infeasibility } from "../aggregation/index.ts";
import type { JobDefinition, WorkflowDefinition } from "./definition.ts";

/** What a job cannot be run for, though each of its fields is sound. */
interface Problem {
  /** Where it is told: from the definition on. */
  readonly path: readonly string[];
  /** For people. */
  readonly message: string;
}

type Judged = Pick<JobDefinition, "aggregation" | "deployment" | "training" | "workflow">;

/** Looks whether what a job asks for goes together: everything that needs two fields. */
export function feasible<Job extends Judged>(): v.RawCheckAction<Job> {
  return v.rawCheck<Job>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const problem = problemOf(dataset.value);
    if (problem === undefined) return;
    addIssue({ message: problem.message, path: itemsOf(dataset.value, problem.path) });
  });
}

function problemOf(job: Judged): Problem | undefined {
  const { workflow } = job;
  const sites = sitesProblem(job);
  if (sites !== undefined) return { path: ["workflow", "minimumSites"], message: sites };
  const rounds = roundsProblem(workflow);
  if (rounds !== undefined) return { path: ["workflow", "rounds"], message: rounds };
  return optimizerProblem(workflow) ?? personalProblem(job) ?? scaffoldProblem(job);
}

function optimizerProblem({ name, serverOptimizer }: WorkflowDefinition): Problem | undefined {
  if (serverOptimizer === undefined || AVERAGING.includes(name)) return undefined;
  const message = `${name} makes no aggregate that an optimizer could follow`;
  return { path: ["workflow", "serverOptimizer"], message };
}

function personalProblem({ workflow, training }: Judged): Problem | undefined {
  if (training.personal === undefined || AVERAGING.includes(workflow.name)) return undefined;
  return { path: ["training", "personal"], message: `${workflow.name} has no use for personal parameters` };
}

/** What the equations of SCAFFOLD rest on: a step is η times a gradient, sites count alike, and it is known how many there are. */
function scaffoldProblem({ workflow, aggregation, deployment, training }: Judged): Problem | undefined {
  if (workflow.name !== "scaffold") return undefined;
  const { optimizer, schedule, groups, clippingNorm, batchesPerUpdate = 1, proximal, onNotFinite } = training;
  if (optimizer.name !== "sgd" || optimizer.momentum !== 0)
    return { path: ["training", "optimizer"], message: "scaffold needs sgd without momentum" };
  const others = { schedule, groups, clippingNorm, proximal };
  const other = Object.entries(others).find(([, value]) => value !== undefined)?.[0];
  if (other !== undefined) return { path: ["training", other], message: "scaffold cannot correct it" };
  if (batchesPerUpdate !== 1 || onNotFinite === "skip") {
    const path = ["training", batchesPerUpdate === 1 ? "onNotFinite" : "batchesPerUpdate"];
    return { path, message: "scaffold divides by every step" };
  }
  if (aggregation !== undefined)
    return { path: ["aggregation"], message: "scaffold counts sites alike, by itself" };
  if (deployment?.sites !== undefined) return undefined;
  return {
    path: ["workflow", "name"],
    message: "scaffold needs deployment.sites: all whose control variates it is the mean of",
  };
}

/** Workflows whose rounds end in one aggregate of many sites. */
const AVERAGING: readonly WorkflowDefinition["name"][] = ["fedavg"];

/** A round may count with the fewest sites that the job allows: the rule must keep its promise with them. */
function sitesProblem({ aggregation, deployment, workflow }: Judged): string | undefined {
  const named = deployment?.sites?.length;
  if (named !== undefined && named < workflow.minimumSites) return `the job names ${named} sites`;
  const contributions = AVERAGING.includes(workflow.name) ? workflow.minimumSites : 1;
  return aggregation && infeasibility(aggregation, contributions);
}

function roundsProblem({ name, rounds, minimumSites }: WorkflowDefinition): string | undefined {
  if (name === "federated-evaluation" && rounds !== 1) return `${name} has one round`;
  if (name !== "cross-site-evaluation" || rounds >= minimumSites) return undefined;
  return `${name} has a round for the model of each site: at least ${minimumSites}`;
}

function itemsOf(job: object, path: readonly string[]): [v.IssuePathItem, ...v.IssuePathItem[]] {
  let input = job;
  const items = path.map((key): v.ObjectPathItem => {
    const value: unknown = Reflect.get(input, key);
    const item = { type: "object", origin: "value", input: Object(input), key, value } as const;
    input = Object(value);
    return item;
  });
  const [first, ...rest] = items;
  if (first === undefined) throw new RangeError("a problem stands somewhere");
  return [first, ...rest];
}
