import { cyclic } from "./cyclic.ts";
import { crossSiteEvaluation, federatedEvaluation } from "./evaluation.ts";
import { fedavg } from "./fedavg.ts";
import { scaffold } from "./scaffold.ts";
import type { Workflow, WorkflowRegistry } from "./workflow.ts";

/** A registry of these workflows, by their names. @throws RangeError when a name occurs twice */
export function workflowRegistry(workflows: readonly Workflow[]): WorkflowRegistry {
  const registry = new Map(workflows.map((workflow) => [workflow.name, workflow]));
  if (registry.size !== workflows.length) throw new RangeError("a workflow name occurs twice");
  return registry;
}

/** Every workflow that comes with Photinus. */
export function builtInWorkflows(): WorkflowRegistry {
  return workflowRegistry([fedavg, scaffold, cyclic, federatedEvaluation, crossSiteEvaluation]);
}
