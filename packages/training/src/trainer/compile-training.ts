import type { TrainingDefinition } from "@photinus/core/job";
import { type ParameterDescriptor, ParameterSet } from "@photinus/core/tensor";
import { type CompiledStep, compileStep, type FrameOptions } from "../compile/index.ts";
import type { Dataset } from "../data/index.ts";
import type { Profile } from "../gradient/index.ts";
import type { Model } from "../onnx/index.ts";

/** The step of a job's definition for one device. */
export function compileFor(
  model: Model,
  training: Omit<TrainingDefinition, "localEpochs">,
  frame: FrameOptions & { readonly profile: Profile; readonly corrects?: boolean },
): CompiledStep {
  const { optimizer, groups, schedule, clippingNorm, personal, batchesPerUpdate = 1, onNotFinite } = training;
  const { proximal = personal?.name === "ditto" ? 0 : undefined } = training; // each training says how strong
  return compileStep(model, {
    ...frame,
    ...{ optimizer, hasVaryingRate: schedule !== undefined },
    ...{ gathers: batchesPerUpdate > 1, skips: onNotFinite === "skip" },
    ...(groups === undefined ? {} : { groups }),
    ...(clippingNorm === undefined ? {} : { clippingNorm }),
    ...(proximal === undefined ? {} : { proximal }),
  });
}

/** Sizes of the dimensions that the file only names, as "sequence", from the examples of the site. */
export function dimensionsOf(
  { graph: { inputs } }: Model,
  { features }: Dataset,
): ReadonlyMap<string, number> {
  const dimensions = new Map<string, number>();
  for (const { name, shape = [] } of inputs) {
    const feature = inputs.length === 1 ? features[0] : features.find((other) => other.name === name);
    if (feature?.shape.length !== shape.length - 1) continue;
    feature.shape.forEach((size, axis) => {
      const dimension = shape[axis + 1];
      if (typeof dimension === "string") dimensions.set(dimension, size);
    });
  }
  return dimensions;
}

/** The values that the file holds: good enough to try a step with. */
export function valuesInside({ graph }: Model, parameters: readonly ParameterDescriptor[]): ParameterSet {
  return new ParameterSet(
    parameters.flatMap(({ name }) => {
      const tensor = graph.initializers.get(name);
      return tensor === undefined ? [] : [[name, tensor] as const];
    }),
  );
}
