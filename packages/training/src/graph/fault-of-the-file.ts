import { TrainingError } from "@photinus/core/errors";
import type { Node } from "../onnx/index.ts";
import { describe } from "./typed-node.ts";

/** Sizes and numbers that no tensor can have surface as RangeErrors of the tensor layer; here the file is at fault. */
export function asFaultOfTheFile<T>(node: Node, compute: () => T): T {
  try {
    return compute();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new TrainingError("ERR_MODEL_SHAPE", `${describe(node)}: ${cause.message}`, { cause });
  }
}

/** Errors of the nodes that an operator is made of, told of the node that the file holds. */
export function asFaultOfTheNode<T>(node: Node, compute: () => T): T {
  try {
    return asFaultOfTheFile(node, compute);
  } catch (cause) {
    if (!(cause instanceof TrainingError) || cause.message.includes(describe(node))) throw cause;
    throw new TrainingError(cause.code, `${describe(node)}: ${cause.message}`, { cause });
  }
}
