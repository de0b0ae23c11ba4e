import { type Finding, failed, ok, skipped, warning } from "../finding.ts";
import type { Probe } from "../subject.ts";

type Device = "cpu" | "cuda" | "webgpu";

/** What to do where a device does not work. */
const REMEDY: Readonly<Record<Device, string>> = {
  cpu: "Install again: npm rebuild onnxruntime-node --ignore-scripts=false, or ONNXRUNTIME_NODE_INSTALL=skip npm ci.",
  cuda: "On a CUDA host run npm rebuild onnxruntime-node --ignore-scripts=false, with CUDA 12 and cuDNN 9 installed; else train on the CPU.",
  webgpu: "Install a driver of Vulkan, Metal or Direct3D 12; else train on the CPU.",
};

/** Does a step run on the device? Tried in a process of its own: a provider may end it. */
export function deviceProbe(device: Device): Probe {
  return { name: `device ${device}`, run: ({ signal }) => tryDevice(device, signal) };
}

async function tryDevice(device: Device, signal: AbortSignal): Promise<Finding> {
  const { probeDevice } = await import("@photinus/node-client").catch(() => ({ probeDevice: undefined }));
  if (probeDevice === undefined) return skipped("onnxruntime-node cannot be loaded");
  const { works, detail } = await probeDevice(device, signal);
  if (works) return ok(detail);
  // Everybody can train on the CPU: only its absence stops a site.
  return device === "cpu"
    ? failed("ERR_DEVICE_UNAVAILABLE", detail, REMEDY.cpu)
    : warning(detail, REMEDY[device]);
}
