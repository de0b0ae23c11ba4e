import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createRuntime, type RuntimeCandidate, type RuntimeChoice } from "@photinus/training";
import * as onnx from "onnxruntime-node";
import type { DeviceChoice } from "./device.ts";

const CUDA_LIBRARY = "libonnxruntime_providers_cuda.so";

/** The devices of onnxruntime-node that fit `device`, in order of preference. */
export function nodeRuntimes(device: DeviceChoice, threads: number): RuntimeChoice {
  const cpu: RuntimeCandidate = {
    device: "cpu",
    availableBytes: () => process.availableMemory(),
    find: async () => createRuntime(onnx, { device: "cpu", threads, writesInPlace: true }),
  };
  const cuda: RuntimeCandidate = {
    device: "cuda",
    find: async () => {
      // Asking for a provider whose library is missing works too, but prints to stderr behind our back.
      if (!hasCudaLibrary()) throw new Error(`${CUDA_LIBRARY} is not installed`);
      return createRuntime(onnx, { device: "cuda", threads });
    },
  };
  const webgpu: RuntimeCandidate = {
    device: "webgpu",
    find: async () => createRuntime(onnx, { device: "webgpu", threads, download: "copy-session" }),
  };
  const candidates = { auto: [cuda, cpu], cpu: [cpu], cuda: [cuda], webgpu: [webgpu] }[device];
  return { candidates, take: "first" };
}

/** True when the install step of onnxruntime-node fetched the CUDA provider (docs: `photinus check`). */
export function hasCudaLibrary(): boolean {
  const entry = createRequire(import.meta.url).resolve("onnxruntime-node");
  const folder = join(dirname(entry), "..", "bin", "napi-v6", process.platform, process.arch);
  return existsSync(join(folder, CUDA_LIBRARY));
}
