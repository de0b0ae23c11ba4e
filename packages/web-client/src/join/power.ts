/** Why training pauses by itself. */
export type PauseReason = "hidden-on-battery" | "low-battery" | "data-saver";

/** The battery as `navigator.getBattery` of Chromium tells it; other browsers tell nothing. */
export interface BatteryFacts {
  readonly charging: boolean;
  /** In [0, 1]. */
  readonly level: number;
}

/** Below this level a device that does not charge rests. */
const LOW_LEVEL = 0.2;

/** What a device that is not asked about counts as: plugged in, with a free connection. */
export function pauseReason(
  isHidden: boolean,
  battery: BatteryFacts | undefined,
  savesData: boolean,
): PauseReason | undefined {
  if (savesData) return "data-saver";
  if (battery === undefined || battery.charging) return undefined;
  if (battery.level < LOW_LEVEL) return "low-battery";
  return isHidden ? "hidden-on-battery" : undefined;
}

/** Why training pauses: by itself, because somebody asked, or since another device of the person goes on. */
export type Pause = PauseReason | "asked" | "other-device";

/** The reason in words. */
export const PAUSE_TEXT: Readonly<Record<Pause, string>> = {
  "hidden-on-battery": "this tab is hidden and the device runs on battery",
  "low-battery": "the battery is below 20 %",
  "data-saver": "the browser saves data on this connection",
  asked: "you asked for it",
  "other-device": "another of your devices took over",
};

interface Battery extends BatteryFacts, EventTarget {}

/** Calls `onChange` whenever the reason to pause may have changed, and at once. */
export async function watchPower(onChange: (reason: PauseReason | undefined) => void): Promise<void> {
  const battery = await readBattery();
  const connection: unknown = Reflect.get(navigator, "connection");
  const savesData = (): boolean =>
    typeof connection === "object" && connection !== null && Reflect.get(connection, "saveData") === true;
  const look = (): void => onChange(pauseReason(document.hidden, battery, savesData()));
  document.addEventListener("visibilitychange", look);
  battery?.addEventListener("chargingchange", look);
  battery?.addEventListener("levelchange", look);
  look();
}

async function readBattery(): Promise<Battery | undefined> {
  const getBattery: unknown = Reflect.get(navigator, "getBattery");
  if (typeof getBattery !== "function") return undefined;
  try {
    return (await getBattery.call(navigator)) as Battery; // the Battery Status API, which TypeScript's types lack
  } catch {
    return undefined; // refused by a policy: nothing is known
  }
}
