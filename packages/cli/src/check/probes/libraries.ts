import { createRequire } from "node:module";
import { failed, ok } from "../finding.ts";
import type { Probe } from "../subject.ts";

/** A dependency of `@photinus/node-client`, found from there. */
const LIBRARY = "onnxruntime-node";

/** Is ONNX Runtime installed? Loaded it is by the probes of devices, in a process of their own. */
export const libraries: Probe = {
  name: LIBRARY,
  async run() {
    try {
      const require = createRequire(import.meta.resolve("@photinus/node-client"));
      const { version }: { readonly version?: unknown } = require(`${LIBRARY}/package.json`);
      return ok(`version ${String(version)}`);
    } catch {
      // Not found, or found and unreadable: for a person it is the same.
      return failed(
        "ERR_DEVICE_UNAVAILABLE",
        "not installed",
        "Install again with ONNXRUNTIME_NODE_INSTALL=skip npm ci: its own step downloads the CUDA provider, which not every network allows.",
      );
    }
  },
};
