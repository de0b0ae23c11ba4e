import { HostError } from "@photinus/core/errors";

/** What a person may ask for: the best that works, or one by name. */
export type DeviceChoice = "auto" | "cpu" | "cuda" | "webgpu";

const CHOICES: readonly DeviceChoice[] = ["auto", "cpu", "cuda", "webgpu"];

/**
 * The device that `name` names. ONNX Runtime itself drops unknown names silently.
 * @throws HostError `ERR_CONFIG_INVALID`
 */
export function parseDevice(name: string): DeviceChoice {
  const choice = CHOICES.find((known) => known === name);
  if (choice === undefined) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      `no device is named ${name}; choose from ${CHOICES.join(", ")}`,
    );
  }
  return choice;
}
