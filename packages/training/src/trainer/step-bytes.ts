import { BYTES_PER_ELEMENT, elementCount } from "@photinus/core/tensor";
import type { CompiledStep } from "../compile/index.ts";
import type { ValueType } from "../graph/index.ts";

/** What a step needs of a device's memory. */
export interface StepMemory {
  /** Parameters, states, batch and intermediate values of one step, estimated from the graph. */
  readonly neededBytes: number;
  /** What the device had when it was chosen; undefined where it does not say. */
  readonly availableBytes: number | undefined;
}

/** Bytes that one step needs: what is fed, the graph with its constants, intermediate values, and the new states. */
export function stepBytes(compiled: CompiledStep): number {
  const { inputs, labels, weights, states, frozen, references, corrections, masks } = compiled;
  const fed: readonly Pick<ValueType, "dtype" | "shape">[] = [
    ...[...inputs, labels, weights, ...states],
    ...[frozen, references, corrections].flatMap((ports) => [...ports.values()]),
    ...masks.map(({ shape }) => ({ dtype: "f32", shape }) as const),
  ];
  const fedBytes = fed.reduce(
    (sum, { dtype, shape }) => sum + elementCount(shape) * BYTES_PER_ELEMENT[dtype],
    0,
  );
  return fedBytes + compiled.model.byteLength + compiled.workingBytes;
}
