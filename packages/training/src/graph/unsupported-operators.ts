/** What to do instead of operators that exporters write and no static training graph can hold. */
const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["Loop", "loops are not differentiated: export with fixed sizes, so that the loop is written out"],
  ["Scan", "loops are not differentiated: export with fixed sizes, so that the loop is written out"],
  ["NonZero", "the size of its result depends on the data: replace boolean indexing by torch.where"],
  ["Unique", "the size of its result depends on the data: leave it out of the model"],
  ["NonMaxSuppression", "it cannot be differentiated: export the model without its post-processing"],
  ["TopK", "it cannot be differentiated: export the model without its post-processing"],
  ["QLinearConv", "quantized models cannot be trained: export the model in float32"],
  ["QLinearMatMul", "quantized models cannot be trained: export the model in float32"],
  ["QuantizeLinear", "quantized models cannot be trained: export the model in float32"],
  ["DequantizeLinear", "quantized models cannot be trained: export the model in float32"],
  ["DynamicQuantizeLinear", "quantized models cannot be trained: export the model in float32"],
  ["RandomNormal", "random numbers inside a model are not supported: use Dropout, or feed them"],
  ["RandomNormalLike", "random numbers inside a model are not supported: use Dropout, or feed them"],
  ["RandomUniform", "random numbers inside a model are not supported: use Dropout, or feed them"],
  ["RandomUniformLike", "random numbers inside a model are not supported: use Dropout, or feed them"],
]);

/** Why `operator` is refused, and what to change. */
export function remedyFor(operator: string): string {
  return (
    REMEDIES.get(operator) ??
    "the operator is not supported: express it by operators that the README of @photinus/training lists"
  );
}
