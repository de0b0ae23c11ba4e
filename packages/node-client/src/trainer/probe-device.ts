import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { entryOf, SOURCE_FLAGS } from "./entry.ts";

/** Whether a device works. */
export interface DeviceReport {
  /** True: a graph ran there. */
  readonly works: boolean;
  /** How long it took, or what was wrong. */
  readonly detail: string;
}

/** A driver that is loaded for the first time compiles its shaders. */
const PROBE_MS = 30_000;

/**
 * Runs a small graph on a device, in a process of its own, since a provider whose driver is missing may end the process.
 * @param signal ends the attempt
 */
export function probeDevice(device: "cpu" | "cuda" | "webgpu", signal: AbortSignal): Promise<DeviceReport> {
  const { file, args } = entryOf("probe-child");
  const child = fork(fileURLToPath(file), [...args, device], {
    execArgv: [...SOURCE_FLAGS],
    env: { ...process.env, ORT_DISABLE_TELEMETRY: "1" },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    signal,
    timeout: PROBE_MS,
  });
  return new Promise((resolve) => {
    const end = (works: boolean, detail: string): void => {
      resolve({ works, detail });
      child.kill();
    };
    child.once("message", (report) => {
      const { works, detail } = report as DeviceReport; // of our own child
      end(works, detail);
    });
    child.once("error", (error) => end(false, error.message));
    child.once("exit", (code, ended) =>
      end(false, `the provider ended the process (${ended ?? `code ${code}`})`),
    );
  });
}
