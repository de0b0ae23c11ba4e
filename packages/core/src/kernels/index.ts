export { createKernels } from "./create-kernels.ts";
export { javascriptKernels } from "./javascript-kernels.ts";
export { kernelModule } from "./kernel-module.ts";
export type { Accumulator, Kernels } from "./kernels.ts";
export { wasmKernels } from "./wasm-kernels.ts";
