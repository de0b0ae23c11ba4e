import { elementCount } from "@photinus/core/tensor";
import { GraphBuilder, TARGET_OPSET, type ValueType } from "../graph/index.ts";
import { writeModel } from "../onnx/index.ts";
import type { Runtime, RuntimeTensor, Tensors } from "./runtime.ts";

/** A tensor that may lie on the device, and its type. */
export interface Held extends ValueType {
  /** Where it is. */
  readonly tensor: RuntimeTensor;
}

/** The f32 values of tensors, in order, wherever they lie. The arrays are the caller's own. */
export async function download(runtime: Runtime, held: readonly Held[]): Promise<readonly Float32Array[]> {
  const onDevice = held.some(({ tensor }) => tensor.location === "gpu-buffer");
  if (onDevice && runtime.download === "copy-session") return copyOut(runtime, held);
  return Promise.all(held.map(async ({ tensor }) => new Float32Array(asFloats(await tensor.getData()))));
}

/** A graph of Identity nodes whose outputs are on the CPU: the way out of a GPU that has no other. */
async function copyOut(runtime: Runtime, held: readonly Held[]): Promise<readonly Float32Array[]> {
  const builder = new GraphBuilder();
  const outputs = new Map(held.map((type, index) => [`out${index}`, builder.input(`in${index}`, type)]));
  const graph = builder.build("download", outputs);
  const model = writeModel({ irVersion: 9, opset: TARGET_OPSET, producer: "photinus", graph });
  const session = await runtime.open(model, []);
  try {
    const feeds: Tensors = Object.fromEntries(held.map(({ tensor }, index) => [`in${index}`, tensor]));
    const results = await session.run(feeds);
    return held.map(({ shape }, index) => {
      const values = results[`out${index}`]?.data;
      return values === undefined
        ? new Float32Array(elementCount(shape))
        : new Float32Array(asFloats(values));
    });
  } finally {
    await session.close();
  }
}

function asFloats(data: unknown): Float32Array {
  if (!(data instanceof Float32Array)) throw new TypeError("expected an f32 tensor");
  return data;
}
