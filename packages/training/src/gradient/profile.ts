/**
 * Execution provider that a graph is compiled for: gradients choose the form that is fastest, or the only one
 * that runs, there.
 */
export type Profile = "cpu" | "cuda" | "wasm" | "webgpu";
