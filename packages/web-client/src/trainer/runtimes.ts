import { createRuntime, type Runtime, type RuntimeCandidate, type RuntimeChoice } from "@photinus/training";
import type { BrowserDevice } from "../site-port/index.ts";
import { findAdapter } from "./gpu-adapter.ts";

/**
 * The providers of a browser that fit `device`. Of both, the one is taken that trains faster; a software adapter
 * counts only when WebGPU is asked for by name.
 */
export function browserRuntimes(device: BrowserDevice | "fastest"): RuntimeChoice {
  const wasm: RuntimeCandidate = { device: "wasm", find: openWasm, availableBytes: wasmBytes };
  const webgpu: RuntimeCandidate = {
    device: "webgpu",
    find: async () => {
      await findAdapter({ acceptsFallback: device === "webgpu" });
      return openWebGpu();
    },
  };
  const candidates = { fastest: [webgpu, wasm], webgpu: [webgpu], wasm: [wasm] }[device];
  return { candidates, take: "fastest" };
}

// The two builds of ONNX Runtime are 14 and 27 MB: each is loaded only when it is used.

async function openWasm(): Promise<Runtime> {
  const onnx = await import("onnxruntime-web/wasm");
  onnx.env.wasm.numThreads = wasmThreads();
  return createRuntime(onnx, { device: "wasm", threads: 0 });
}

async function openWebGpu(): Promise<Runtime> {
  const onnx = await import("onnxruntime-web/webgpu");
  onnx.env.wasm.numThreads = 1; // only what has no GPU kernel runs there
  return createRuntime(onnx, { device: "webgpu" });
}

/** WebAssembly ends at 4 GiB, and a machine that says how much memory it has may have less. */
function wasmBytes(): number {
  const gigabytes = "deviceMemory" in navigator ? Number(navigator.deviceMemory) : 4;
  return Math.min(4, gigabytes) * 2 ** 30;
}

/** Threads share memory, which a page has only when it is cross-origin isolated; two leave the page its own cores. */
export function wasmThreads(): number {
  return globalThis.crossOriginIsolated ? Math.min(2, Math.max(1, navigator.hardwareConcurrency - 1)) : 1;
}
