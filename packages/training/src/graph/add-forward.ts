import type { Node } from "../onnx/index.ts";
import { Algebra } from "./algebra.ts";
import type { GraphBuilder } from "./builder.ts";
import { asFaultOfTheNode } from "./fault-of-the-file.ts";
import { LOWERINGS, type LoweringContext } from "./lowering/index.ts";
import { normalize } from "./normalize.ts";

/**
 * Adds a node of a file in the form that training wants: of {@link TARGET_OPSET}, and in operators that have gradients.
 *
 * @param node its inputs are values of `builder`
 * @returns names of its outputs
 * @throws TrainingError `ERR_MODEL_OPERATOR`, `ERR_MODEL_SHAPE` or `ERR_MODEL_TOO_LARGE`, naming the node
 */
export function addForward(builder: GraphBuilder, node: Node, context: LoweringContext): readonly string[] {
  const normal = normalize(node, { opset: context.opset, builder });
  // An Identity only renames; the file's name is led to what it stands for.
  if (normal.operator === "Identity") return normal.inputs;
  const lowering = LOWERINGS.get(normal.operator);
  if (lowering === undefined) return builder.addNode(normal);
  return asFaultOfTheNode(node, () =>
    lowering({ ...builder.typed(normal), builder, algebra: new Algebra(builder), context }),
  );
}
