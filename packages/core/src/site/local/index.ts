import { isPersonal, type JobPayload, layoutOfControl, layoutOfUpdate } from "../../job/index.ts";
import type { Clock } from "../../platform/index.ts";
import { layoutOf } from "../../tensor/index.ts";
import type { Trainer } from "../trainer.ts";
import { type KeptKind, keptParameters, type ParameterStore } from "./kept-parameters.ts";
import { type LocalAlgorithm, plain } from "./local-algorithm.ts";
import { ditto, personalLayers } from "./personal.ts";
import { scaffold } from "./scaffold.ts";

export { type KeptKind, memoryParameters, type ParameterStore } from "./kept-parameters.ts";
export type { LocalAlgorithm, LocalOutcome, LocalTask } from "./local-algorithm.ts";

/** What a site's part in a job rests on. */
export interface LocalModules {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  readonly trainer: Trainer;
  readonly store: ParameterStore;
  readonly clock: Pick<Clock, "yield">;
}

/** What the job asks this site to do in a round. */
export function localAlgorithm(payload: JobPayload, modules: LocalModules): LocalAlgorithm {
  const { jobId, trainer, store, clock } = modules;
  const { workflow, training } = payload.definition;
  const trainable = payload.parameters.filter((parameter) => parameter.trainable);
  const keep = (kind: KeptKind, layout: Parameters<typeof keptParameters>[0]["layout"]) =>
    keptParameters({ jobId, kind, layout }, store);
  if (workflow.name === "scaffold") {
    const layout = layoutOfControl(payload.parameters);
    const kept = keep("control", layout);
    return scaffold(training.optimizer.learningRate, { trainer, kept, layout, clock });
  }
  const { personal } = training;
  if (personal === undefined) return plain(trainer);
  if (personal.name === "ditto") {
    const kept = keep("personal", layoutOf(trainable));
    const names = trainable.map(({ name }) => name);
    return ditto({ strength: personal.strength, names }, { trainer, kept, clock });
  }
  const own = trainable.filter(({ name }) => isPersonal(name, training));
  const kept = keep("personal", layoutOf(own));
  const shared = layoutOfUpdate(payload).tensors.map(({ name }) => name);
  return personalLayers({ personal: own.map(({ name }) => name), shared }, { trainer, kept, clock });
}
