import type { SiteActivity } from "@photinus/core/site";
import type { Tone } from "@photinus/monitor";
import { isDone, type JoinState } from "../join-state.ts";
import { PAUSE_TEXT } from "../power.ts";

const TEXT: Readonly<Record<SiteActivity, string>> = {
  stopped: "Stopped",
  connecting: "Connecting",
  reconnecting: "Connection lost",
  waiting: "Waiting for the next round",
  deciding: "Waiting for your answer",
  preparing: "Preparing the model",
  evaluating: "Trying the model on your held-out examples",
  training: "Training",
  uploading: "Sending what the model learned",
  refused: "Refused by the server",
};

const TONES: Readonly<Record<SiteActivity, Tone>> = {
  stopped: "gone",
  connecting: "active",
  reconnecting: "late",
  waiting: "waiting",
  deciding: "waiting",
  preparing: "active",
  evaluating: "active",
  training: "active",
  uploading: "active",
  refused: "refused",
};

/** What the site is doing, in words. */
export function describeActivity(state: JoinState, nowMs: number = Date.now()): string {
  const { status, paused } = state;
  if (paused !== undefined) return `Paused: ${PAUSE_TEXT[paused]}`;
  if (status === undefined) return "Connecting";
  if (isDone(state)) return "All rounds are done";
  const { retryAtMs } = status;
  const again =
    retryAtMs === undefined
      ? ""
      : `, trying again in ${Math.max(0, Math.ceil((retryAtMs - nowMs) / 1000))} s`;
  return TEXT[status.activity] + again;
}

/** How it is drawn. */
export function toneOfActivity(state: JoinState): Tone {
  if (state.paused !== undefined) return "waiting";
  if (isDone(state)) return "done";
  return state.status === undefined ? "active" : TONES[state.status.activity];
}
