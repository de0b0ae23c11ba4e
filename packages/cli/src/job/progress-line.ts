import type { JobView, SitePhase, SiteView } from "@photinus/core/message";
import { counted } from "../counted.ts";

const WIDTH = 20;

/** How much of a site's round lies before a phase, and how much is the phase itself. */
const SHARE: Readonly<Partial<Record<SitePhase, readonly [before: number, within: number]>>> = {
  evaluating: [0, 0.1],
  training: [0.1, 0.8],
  uploading: [0.9, 0.1],
  received: [1, 0],
  committed: [1, 0],
  refused: [1, 0],
  late: [1, 0],
  missing: [1, 0],
};

/** One row about what goes on now. */
export function progressLine(job: JobView): string {
  const { history, rounds, sites, state, minimumSites } = job;
  if (state === "waiting" || history.length === 0) {
    return `waiting for ${counted(minimumSites, "site")}: ${countOf(sites, "disconnected")} connected`;
  }
  const current = history.at(-1);
  const present = sites.filter(({ phase }) => phase !== "disconnected");
  const done = present.reduce((sum, site) => sum + doneBy(site), 0) / Math.max(1, present.length);
  const filled = Math.round(WIDTH * done);
  const busy = present.filter(({ phase }) => phase in SHARE).map(({ name, phase }) => `${name} ${phase}`);
  const bar = `${"#".repeat(filled)}${"-".repeat(WIDTH - filled)}`;
  return `round ${current?.round}/${rounds}  [${bar}]  ${busy.join(", ")}`;
}

function doneBy({ phase, progress }: SiteView): number {
  const [before, within] = SHARE[phase] ?? [0, 0];
  return before + within * progress;
}

function countOf(sites: readonly SiteView[], without: SitePhase): number {
  return sites.filter(({ phase }) => phase !== without).length;
}
