import { type Attribute, ints } from "../../onnx/index.ts";
import { attribute, unsupported } from "../typed-node.ts";
import { ceilPads } from "../window.ts";
import {
  insteadOf,
  intOf,
  type Lowered,
  type Lowering,
  type LoweringTable,
  requiredOperand,
} from "./lowering.ts";

/** `ceil_mode` as pads behind the input, which no maximum and no average counts. */
function explicit(lowered: Lowered): ReadonlyMap<string, Attribute> {
  const kept = [...lowered.node.attributes].filter(
    ([name]) => name !== "ceil_mode" && name !== "auto_pad" && name !== "pads",
  );
  return new Map([...kept, ["pads", ints(ceilPads(lowered))]]);
}

/** The gradient of MaxPool may use its indices; an output nobody uses is cut off when the graph is built. */
const maxPool: Lowering = (lowered) => {
  const { node, builder } = lowered;
  const [output = ""] = node.outputs;
  const outputs = [output, node.outputs[1] ?? `${output}/indices`];
  const attributes = intOf(lowered, "ceil_mode", 0) === 1 ? explicit(lowered) : node.attributes;
  return builder.addNode({ ...node, outputs, attributes });
};

/** Pads that count are zeros of the input; those that `ceil_mode` adds never count. */
const averagePool: Lowering = (lowered) => {
  if (intOf(lowered, "ceil_mode", 0) !== 1) return insteadOf(lowered, {});
  if (intOf(lowered, "count_include_pad", 0) !== 1)
    return insteadOf(lowered, { attributes: explicit(lowered) });
  const autoPad = attribute(lowered, "text", "auto_pad") ?? "NOTSET";
  if (autoPad !== "NOTSET")
    unsupported(lowered.node, `auto_pad ${autoPad} with ceil_mode and count_include_pad`);
  const all = ceilPads(lowered);
  const rank = all.length / 2;
  const pads = attribute(lowered, "ints", "pads") ?? all.map(() => 0);
  const [padsBegin, padsEnd] = [pads.slice(0, rank), pads.slice(rank)];
  const x = lowered.algebra.pad(requiredOperand(lowered, 0), [0, 0, ...padsBegin], [0, 0, ...padsEnd]);
  const rest = all.map((pad, index) => (index < rank ? 0 : pad - (padsEnd[index - rank] ?? 0)));
  const kept = [...explicit(lowered)].filter(([name]) => name !== "count_include_pad" && name !== "pads");
  return insteadOf(lowered, { inputs: [x], attributes: new Map([...kept, ["pads", ints(rest)]]) });
};

/** Pooling whose windows may end outside the padded input. */
export const POOLING_LOWERINGS: LoweringTable = { AveragePool: averagePool, MaxPool: maxPool };
