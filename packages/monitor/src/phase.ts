import type { ContributionView, SitePhase, SiteView } from "@photinus/core/message/observation";

/** How a state is drawn: a shape and a colour that mean the same everywhere. */
export type Tone = "active" | "done" | "waiting" | "late" | "refused" | "missing" | "gone" | "planned";

const TONES: Readonly<Record<SitePhase, Tone>> = {
  connected: "waiting",
  preparing: "active",
  idle: "waiting",
  evaluating: "active",
  training: "active",
  uploading: "active",
  received: "done",
  committed: "done",
  refused: "refused",
  late: "late",
  missing: "missing",
  disconnected: "gone",
};

const LABELS: Readonly<Record<SitePhase, string>> = {
  connected: "Connected",
  preparing: "Preparing",
  idle: "Ready",
  evaluating: "Evaluating",
  training: "Training",
  uploading: "Uploading",
  received: "Received",
  committed: "Committed",
  refused: "Refused",
  late: "Late",
  missing: "Missing",
  disconnected: "Disconnected",
};

/** The tone of a phase. */
export function toneOf(phase: SitePhase): Tone {
  return TONES[phase];
}

/** The phase in a word for people. */
export function labelOf(phase: SitePhase): string {
  return LABELS[phase];
}

const OUTCOMES: Readonly<Record<ContributionView["outcome"], Tone>> = {
  accepted: "done",
  refused: "refused",
  late: "late",
  missing: "missing",
};

/** The tone of what became of a contribution. */
export function toneOfOutcome(outcome: ContributionView["outcome"]): Tone {
  return OUTCOMES[outcome];
}

const ATTENTION: Readonly<Record<Tone, number>> = {
  refused: 0,
  missing: 1,
  late: 2,
  gone: 3,
  active: 4,
  done: 4,
  waiting: 4,
  planned: 4,
};

/** Sites that need somebody first, then by name. */
export function inOrderOfAttention(sites: readonly SiteView[]): readonly SiteView[] {
  return sites.toSorted(
    (left, right) =>
      ATTENTION[toneOf(left.phase)] - ATTENTION[toneOf(right.phase)] ||
      left.name.localeCompare(right.name, "en", { numeric: true }),
  );
}
