import type { Bytes } from "../bytes/index.ts";

/** The part of the WebAssembly JavaScript interface that the kernels use. Node's types do not declare it. */
export interface WebAssemblyInterface {
  /** Compiles; synchronous, as pages allow it for modules as small as ours. */
  readonly Module: new (
    bytes: Bytes,
  ) => object;
  readonly Instance: new (
    module: object,
    imports?: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: unknown };
  /** Pages of 64 KiB; the constructor throws RangeError when there is no memory for them. */
  readonly Memory: new (pages: {
    readonly initial: number;
    readonly maximum: number;
  }) => WasmMemory;
  readonly CompileError: new (message?: string) => Error;
}

/** A memory of 64 KiB pages that does not grow. */
export interface WasmMemory {
  /** Its bytes, zeroed in the beginning. */
  readonly buffer: ArrayBuffer;
}

/** The platform's WebAssembly, if it has one. */
export function webAssembly(): WebAssemblyInterface | undefined {
  // Part of every platform that has it (WebAssembly JavaScript Interface, W3C), so its shape is known.
  return Reflect.get(globalThis, "WebAssembly") as WebAssemblyInterface | undefined;
}
