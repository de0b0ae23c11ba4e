// Starts a TypeScript entry in a worker thread or child process when Photinus runs from its sources: Node 20 cannot load
// `.ts` there by itself. The first argument names the entry.
// biome-ignore lint/correctness/noUndeclaredDependencies: a tool of the workspace; the published package runs worker.js
import { register } from "tsx/esm/api";

register();
await import(new URL(process.argv[2], import.meta.url).href);
