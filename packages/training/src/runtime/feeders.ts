import { TrainingError } from "@photinus/core/errors";
import { elementCount } from "@photinus/core/tensor";
import type { CompiledGraph, InputPort } from "../compile/index.ts";
import type { Dataset, Feature } from "../data/index.ts";

/**
 * The input that each feature of a data set feeds, in the order of the features.
 * @throws TrainingError `ERR_MODEL_SHAPE` when features and inputs are not the same, by name, type or number of elements
 */
export function feedersOf(
  { features }: Pick<Dataset, "features">,
  inputs: readonly InputPort[],
): readonly InputPort[] {
  if (features.length !== inputs.length) {
    refuse(`examples have ${features.length} features, the model takes ${inputs.length} inputs`);
  }
  return features.map((feature) => {
    const input =
      inputs.length === 1 ? inputs[0] : inputs.find(({ nameInFile }) => nameInFile === feature.name);
    if (input === undefined) {
      const names = inputs.map(({ nameInFile }) => nameInFile).join(", ");
      refuse(`the model has no input ${feature.name}: it takes ${names}`);
    }
    requireFit(feature, input);
    if (feature.mayMiss === true)
      refuse(`numbers of ${feature.name} may be missing: the job has no transform "impute" for it`);
    return input;
  });
}

function requireFit({ name, dtype, shape }: Feature, input: InputPort): void {
  const wanted = input.shape.slice(1);
  if (dtype === input.dtype && elementCount(shape) === elementCount(wanted)) return;
  refuse(
    `examples have ${name} ${dtype}[${shape}], the model takes ${input.nameInFile} ${input.dtype}[${wanted}]`,
  );
}

/** @throws TrainingError `ERR_MODEL_SHAPE` when a data set does not fit the inputs of a graph or its loss */
export function checkFit(dataset: Dataset, { inputs, labelling, labels }: CompiledGraph): void {
  feedersOf(dataset, inputs);
  const { kind, shape } = dataset.labelling;
  const wanted = labels.shape.slice(1);
  const isClasses = labelling.classCount !== undefined;
  if (isClasses !== (kind === "classes")) {
    refuse(`labels are ${kind}, the loss takes ${isClasses ? "classes" : "numbers"}`);
  }
  if (elementCount(shape) !== elementCount(wanted)) refuse(`labels [${shape}], the loss takes [${wanted}]`);
  if (dataset.labelling.kind === "classes" && dataset.labelling.classCount > (labelling.classCount ?? 0)) {
    const { classCount } = dataset.labelling;
    refuse(`labels of ${classCount} classes, the model knows ${labelling.classCount}`);
  }
}

function refuse(what: string): never {
  throw new TrainingError("ERR_MODEL_SHAPE", what);
}
