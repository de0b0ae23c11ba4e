import { javascriptKernels } from "./javascript-kernels.ts";
import type { Kernels } from "./kernels.ts";
import { wasmKernels } from "./wasm-kernels.ts";
import { webAssembly } from "./web-assembly.ts";

/** WebAssembly kernels where they run, else JavaScript ones; the results are the same, `implementation` tells which. */
export function createKernels(): Kernels {
  const platform = webAssembly();
  if (platform === undefined) return javascriptKernels();
  try {
    return wasmKernels();
  } catch (error) {
    // No SIMD, or a page whose policy lacks 'wasm-unsafe-eval': slower, not wrong.
    if (error instanceof platform.CompileError) return javascriptKernels();
    throw error;
  }
}
