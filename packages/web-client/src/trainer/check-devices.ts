import type { Clock } from "@photinus/core/platform";
import { benchModel, compileStep, type RuntimeCandidate, readModel, tryRuntime } from "@photinus/training";
import type { BrowserDevice, DeviceReport, DeviceTrial } from "../site-port/index.ts";
import { findAdapter } from "./gpu-adapter.ts";
import { browserRuntimes, wasmThreads } from "./runtimes.ts";

/** Times three training steps of a small model (784-256-10, batch 64) on each provider that fits `device`. */
export async function checkDevices(device: BrowserDevice | "fastest", clock: Clock): Promise<DeviceReport> {
  const trials: DeviceTrial[] = [];
  for (const candidate of browserRuntimes(device).candidates) trials.push(await trialOf(candidate, clock));
  const [best] = trials.filter(({ stepsPerSecond }) => stepsPerSecond > 0).toSorted(byStepsPerSecond);
  return { trials, chosen: best?.device };
}

const byStepsPerSecond = (a: DeviceTrial, b: DeviceTrial): number => b.stepsPerSecond - a.stepsPerSecond;

async function trialOf(candidate: RuntimeCandidate, clock: Clock): Promise<DeviceTrial> {
  const device = candidate.device === "webgpu" ? "webgpu" : "wasm";
  const { model, parameters, initialParameters } = benchModel("mlp", 1);
  const compiled = compileStep(readModel(model), {
    parameters,
    loss: "cross-entropy",
    optimizer: { name: "sgd", momentum: 0.9 },
    batchSize: 64,
    profile: device,
  });
  try {
    const tried = await tryRuntime(candidate, { compiled, parameters: initialParameters, clock });
    await tried.session.close();
    // The clock counts whole milliseconds: less than one is taken for one.
    const stepsPerSecond = (1000 * tried.steps) / Math.max(1, tried.durationMs);
    const detail =
      device === "webgpu" ? await findAdapter({ acceptsFallback: true }) : "WebAssembly with SIMD";
    return { device, stepsPerSecond, threads: device === "wasm" ? wasmThreads() : 0, detail };
  } catch (error) {
    return {
      device,
      stepsPerSecond: 0,
      threads: 0,
      detail: error instanceof Error ? error.message : "it failed",
    };
  }
}
