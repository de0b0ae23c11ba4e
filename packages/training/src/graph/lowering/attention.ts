import { int } from "../../onnx/index.ts";
import { tensorOf } from "../numbers.ts";
import { attribute, badShape, inputType, unsupported } from "../typed-node.ts";
import { floatOf, intOf, type Lowered, type LoweringTable, operandOf, requiredOperand } from "./lowering.ts";
import { MAX_LOWERED_CONSTANT } from "./rearrangement.ts";

/** [batch, heads, length, size], from that or from [batch, length, heads · size]. */
function heads(lowered: Lowered, index: number, attributeName: string): string {
  const { algebra, node } = lowered;
  const { shape } = inputType(lowered, index);
  const value = requiredOperand(lowered, index);
  if (shape.length === 4) return value;
  const [batch = 1, length = 1, width = 1] = shape;
  const count =
    attribute(lowered, "int", attributeName) ?? badShape(node, `attribute ${attributeName} is missing`);
  if (shape.length !== 3 || width % count !== 0) badShape(node, `[${shape}] in ${count} heads`);
  return algebra.transpose(algebra.reshape(value, [batch, length, count, width / count]), [0, 2, 1, 3]);
}

/** Keys and values of fewer heads serve several heads of queries each (Ainslie et al. 2023). */
function repeated({ algebra, builder, node }: Lowered, value: string, count: number): string {
  const [batch = 1, own = 1, length = 1, size = 1] = builder.shape(value);
  if (own === count) return value;
  if (count % own !== 0) badShape(node, `${count} heads of queries, ${own} of keys`);
  const split = algebra.reshape(value, [batch, own, 1, length, size]);
  const wide = algebra.expand(split, [batch, own, count / own, length, size]);
  return algebra.reshape(wide, [batch, count, length, size]);
}

/** Minus infinity where a query must not look: later keys, or those that a truth mask leaves out. */
function masked(lowered: Lowered, scores: string): string {
  const { algebra, builder, node } = lowered;
  const [rows = 1, columns = 1] = builder.shape(scores).slice(-2);
  let value = scores;
  if (intOf(lowered, "is_causal", 0) === 1) {
    if (rows * columns > MAX_LOWERED_CONSTANT) unsupported(node, "its mask is too large");
    const sees = Array.from({ length: rows * columns }, (_, at) =>
      at % columns <= Math.floor(at / columns) ? 1 : 0,
    );
    const mask = builder.constant(tensorOf("bool", [rows, columns], sees), "causal");
    value = algebra.apply("Where", mask, value, Number.NEGATIVE_INFINITY);
  }
  const mask = operandOf(lowered, 3);
  if (mask === undefined) return value;
  if (builder.type(mask).dtype === "bool")
    return algebra.apply("Where", mask, value, Number.NEGATIVE_INFINITY);
  return algebra.add(value, mask);
}

/** softmax(Q Kᵀ · scale + mask) V (Vaswani et al. 2017, equation 1) */
function attention(lowered: Lowered): readonly string[] {
  const { algebra, builder, node } = lowered;
  if (node.inputs[4] || node.inputs[5])
    unsupported(node, "keys and values of the past: export without a cache");
  if (intOf(lowered, "qk_matmul_output_mode", 0) !== 0 || node.outputs[3])
    unsupported(node, "its scores as an output");
  const queries = heads(lowered, 0, "q_num_heads");
  const [batch = 1, count = 1, length = 1, size = 1] = builder.shape(queries);
  const keys = repeated(lowered, heads(lowered, 1, "kv_num_heads"), count);
  const values = repeated(lowered, heads(lowered, 2, "kv_num_heads"), count);
  const scaled = algebra.mul(queries, floatOf(lowered, "scale", 1 / Math.sqrt(size)));
  const cap = floatOf(lowered, "softcap", 0);
  const scores = masked(lowered, algebra.apply("MatMul", scaled, algebra.swapLast(keys)));
  const capped = cap === 0 ? scores : algebra.mul(algebra.apply("Tanh", algebra.div(scores, cap)), cap);
  const weights = builder.add("Softmax", [capped], { attributes: { axis: int(-1) } });
  const mixed = algebra.apply("MatMul", weights, values);
  if (inputType(lowered, 0).shape.length === 4) return [mixed];
  const width = builder.shape(values).at(-1) ?? 1;
  return [algebra.reshape(algebra.transpose(mixed, [0, 2, 1, 3]), [batch, length, count * width])];
}

/** Attention as an operator of its own; exporters below opset 23 write the products themselves. */
export const ATTENTION_LOWERINGS: LoweringTable = { Attention: attention };
