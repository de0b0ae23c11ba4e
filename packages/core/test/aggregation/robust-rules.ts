import {
  type AggregationDefinition,
  type AggregatorModules,
  aggregatorRegistry,
} from "@photinus/core/aggregation";
import { toBytes } from "@photinus/core/bytes";
import { createKernels } from "@photinus/core/kernels";
import { webCrypto } from "@photinus/core/platform";
import { layoutOf } from "@photinus/core/tensor";
import { virtualClock } from "@photinus/core/testing";

export const modulesOf = (more: Partial<AggregatorModules> = {}): AggregatorModules => ({
  kernels: createKernels(),
  clock: virtualClock(),
  crypto: webCrypto(),
  ...more,
});

/** What a rule makes of updates that come in this order, each with its weight (default 1). */
export async function aggregated(
  definition: AggregationDefinition,
  updates: readonly Float32Array[],
  { weights = [], modules = modulesOf() }: { weights?: readonly number[]; modules?: AggregatorModules } = {},
): Promise<Float32Array> {
  const layout = layoutOf([{ name: "w", dtype: "f32", shape: [updates[0]?.length ?? 0] }]);
  const aggregator = aggregatorRegistry().get(definition.name)?.(layout, modules, definition);
  if (aggregator === undefined) throw new Error(`there is no rule ${definition.name}`);
  for (const [index, update] of updates.entries()) {
    await aggregator.add({ update: toBytes(update.slice()), weight: weights[index] ?? 1 });
  }
  const { update } = await aggregator.finish();
  aggregator.release();
  return new Float32Array(update.buffer, update.byteOffset, update.byteLength / 4);
}
