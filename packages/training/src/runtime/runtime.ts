import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import type {
  InferenceSession,
  InferenceSessionFactory,
  Tensor,
  TensorConstructor,
} from "onnxruntime-common";
import type { BatchArray } from "../data/index.ts";
import type { Profile } from "../gradient/index.ts";

/** What ONNX Runtime's packages have in common: onnxruntime-node or one of onnxruntime-web's entries. */
export interface OnnxRuntime {
  /** Opens sessions. */
  readonly InferenceSession: InferenceSessionFactory;
  /** Makes tensors of that package's own kind. */
  readonly Tensor: TensorConstructor;
}

/** How the host uses a runtime. */
export interface RuntimeOptions {
  /** Execution provider. */
  readonly device: Profile;
  /** Threads of one operator; 0 lets the runtime choose. Default: 1, the fastest for small models. */
  readonly threads?: number;
  /** True where outputs may be written into tensors that we pass: onnxruntime-node on CPU. */
  readonly writesInPlace?: boolean;
  /**
   * How tensors come back from a GPU. `getData()` aborts the process in onnxruntime-node; there a session that only
   * copies fetches them.
   */
  readonly download?: "get-data" | "copy-session";
}

/** A tensor of ONNX Runtime. */
export type RuntimeTensor = Tensor;

/** ONNX Runtime on one device. */
export interface Runtime {
  /** Where it computes. */
  readonly device: Profile;
  /** True where `RuntimeSession.run` may be given the tensors to write to. */
  readonly writesInPlace: boolean;
  /** True where states stay in the device's memory between steps. */
  readonly keepsStates: boolean;
  /** How tensors come back from the device. */
  readonly download: "get-data" | "copy-session";
  /** Opens a graph. `stay` names the outputs that stay on the device. */
  open(model: Bytes, stay: readonly string[]): Promise<RuntimeSession>;
  /** A tensor of f32, i32, i64 or bool over `values`, which are kept. */
  tensor(values: BatchArray, shape: readonly number[]): RuntimeTensor;
}

/** An open graph. */
export interface RuntimeSession {
  /** Runs the graph. @throws TrainingError `ERR_DEVICE_UNAVAILABLE` when the device fails */
  run(feeds: Tensors, into?: Tensors): Promise<Tensors>;
  /** Frees it. */
  close(): Promise<void>;
}

/** Tensors by name. */
export type Tensors = Readonly<Record<string, RuntimeTensor>>;

/** A runtime over one of ONNX Runtime's packages. */
export function createRuntime(onnx: OnnxRuntime, options: RuntimeOptions): Runtime {
  const { device, threads = 1, writesInPlace = false, download = "get-data" } = options;
  const keepsStates = device === "webgpu";
  const open = async (model: Bytes, stay: readonly string[]): Promise<RuntimeSession> => {
    const session = await onnx.InferenceSession.create(model, sessionOptions({ device, threads, stay }));
    return sessionOver(session, device);
  };
  const tensor = (values: BatchArray, shape: readonly number[]): RuntimeTensor => {
    if (values instanceof Float32Array) return new onnx.Tensor("float32", values, shape);
    if (values instanceof Int32Array) return new onnx.Tensor("int32", values, shape);
    if (values instanceof BigInt64Array) return new onnx.Tensor("int64", values, shape);
    return new onnx.Tensor("bool", values, shape);
  };
  return { device, writesInPlace, keepsStates, download, open, tensor };
}

interface SessionSettings {
  readonly device: Profile;
  readonly threads: number;
  readonly stay: readonly string[];
}

function sessionOptions({ device, threads, stay }: SessionSettings): InferenceSession.SessionOptions {
  const common: InferenceSession.SessionOptions = {
    executionProviders: [device],
    graphOptimizationLevel: "all",
    logSeverityLevel: 3,
    ...(threads > 0 ? { intraOpNumThreads: threads } : {}),
  };
  if (stay.length === 0) return common;
  return { ...common, preferredOutputLocation: Object.fromEntries(stay.map((name) => [name, "gpu-buffer"])) };
}

function sessionOver(session: InferenceSession, device: Profile): RuntimeSession {
  const run = async (feeds: Tensors, into?: Tensors): Promise<Tensors> => {
    try {
      return await (into === undefined ? session.run(feeds) : session.run(feeds, into));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : "unknown cause";
      throw new TrainingError("ERR_DEVICE_UNAVAILABLE", `${device} failed in a step: ${reason}`, { cause });
    }
  };
  return { run, close: () => session.release() };
}
