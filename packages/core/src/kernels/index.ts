export { createKernels } from "./create-kernels.ts";
export { javascriptKernels } from "./javascript-kernels.ts";
export { kernelModule } from "./kernel-module.ts";
export {
  type Accumulator,
  type KernelBuffer,
  type Kernels,
  LONGEST_ROW,
  type OrderRange,
  type Rows,
} from "./kernels.ts";
export { wasmKernels } from "./wasm-kernels.ts";
