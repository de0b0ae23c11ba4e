import { TrainingError } from "@photinus/core/errors";
import type { ParameterDescriptor } from "@photinus/core/tensor";
import type { Model } from "../onnx/index.ts";

/**
 * The parameter table of a model: its f32 initializers that some node uses, in the order of the file. A submitter may
 * set `trainable` to false for some.
 */
export function parameterTable({ graph }: Model): readonly ParameterDescriptor[] {
  const used = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  return [...graph.initializers]
    .filter(([name, { dtype }]) => dtype === "f32" && used.has(name))
    .map(([name, { dtype, shape }]) => ({ name, dtype, shape, trainable: true }));
}

/**
 * Proves that a job's table is that of its model: the same names, types and shapes, in the same order, at least one
 * of them trainable.
 * @throws TrainingError `ERR_MODEL_PARAMETERS` naming the first difference
 */
export function checkParameterTable(model: Model, given: readonly ParameterDescriptor[]): void {
  const expected = parameterTable(model);
  if (expected.length !== given.length)
    refuse(`${given.length} parameters, the model has ${expected.length}`);
  expected.forEach(({ name, dtype, shape }, index) => {
    const other = given[index];
    if (other?.name !== name) refuse(`parameter ${index} is ${other?.name}, the model's is ${name}`);
    if (other.dtype !== dtype || other.shape.join() !== shape.join()) {
      refuse(`${name} is ${other.dtype}[${other.shape}], the model's ${dtype}[${shape}]`);
    }
  });
  if (!given.some(({ trainable }) => trainable)) refuse("no parameter is trainable");
}

function refuse(what: string): never {
  throw new TrainingError("ERR_MODEL_PARAMETERS", `the parameter table does not fit the model: ${what}`);
}
