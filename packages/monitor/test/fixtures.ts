import type {
  ContributionView,
  JobView,
  Observation,
  ObservationSource,
  RoundView,
  SiteView,
} from "@photinus/core/message/observation";

/** A site at rest. */
export function aSite(name: string, overrides: Partial<SiteView> = {}): SiteView {
  return {
    name,
    org: "demo",
    runtime: "node",
    device: "cpu",
    phase: "idle",
    progress: 0,
    cause: "",
    trainingExamples: 3126,
    heldOutExamples: 668,
    accepted: 0,
    bytesDown: 0,
    bytesUp: 0,
    ...overrides,
  };
}

/** What a site did. */
export function aContribution(site: string, overrides: Partial<ContributionView> = {}): ContributionView {
  return {
    site,
    outcome: "accepted",
    cause: "",
    exampleCount: 3126,
    trainingLoss: 0.31,
    norm: 1.42,
    milliseconds: 1730,
    ...overrides,
  };
}

const ACCURACIES = [0.112, 0.781, 0.874, 0.903, 0.921, 0.934, 0.943, 0.949, 0.953, 0.957, 0.961];
const LOSSES = [2.314, 0.712, 0.436, 0.331, 0.268, 0.224, 0.193, 0.171, 0.156, 0.145, 0.136];

/** A committed round of the demo; `round` from 1. */
export function aRound(round: number, contributions: readonly ContributionView[]): RoundView {
  const startedAtMs = 1_760_000_000_000 + round * 2_000;
  return {
    round,
    startedAtMs,
    endedAtMs: startedAtMs + 1_900 + (round % 3) * 40,
    contributions,
    trainingLoss: (LOSSES[round] ?? 0.13) * 1.1,
    evaluation: { accuracy: ACCURACIES[round] ?? 0.961, loss: LOSSES[round] ?? 0.136, exampleCount: 2000 },
    bytesDown: 245_000,
    bytesUp: 243_000,
  };
}

/** A job of four sites in its seventh round of ten, with one of everything that can go wrong. */
export function aRunningJob(overrides: Partial<JobView> = {}): JobView {
  const names = ["site-1", "site-2", "site-3", "lab-browser"];
  const history = [1, 2, 3, 4, 5, 6].map((round) =>
    aRound(
      round,
      names
        .filter((name) => name !== "lab-browser" || round > 2)
        .map((name) => aContribution(name, troubleOf(name, round))),
    ),
  );
  return {
    jobId: "8f0c2a6be1d94f7c",
    name: "MNIST digits",
    purpose:
      "Recognize handwritten digits. A demonstration on public data; the model is not used for anything else.",
    state: "running",
    reason: "",
    rounds: 10,
    minimumSites: 3,
    startedAtMs: 1_760_000_000_000,
    modelBytes: 81_160,
    initialEvaluation: { accuracy: 0.112, loss: 2.314, exampleCount: 2000 },
    sites: [
      aSite("site-1", { phase: "received", accepted: 6, bytesDown: 571_000, bytesUp: 570_000 }),
      aSite("site-2", {
        phase: "training",
        progress: 0.62,
        accepted: 5,
        bytesDown: 571_000,
        bytesUp: 489_000,
      }),
      aSite("site-3", {
        phase: "refused",
        cause: "ERR_CONTRIBUTION_NOT_FINITE",
        accepted: 4,
        bytesDown: 571_000,
        bytesUp: 488_000,
      }),
      aSite("lab-browser", {
        runtime: "browser",
        device: "wasm",
        phase: "uploading",
        progress: 0.3,
        accepted: 3,
        trainingExamples: 622,
        bytesDown: 408_000,
        bytesUp: 325_000,
      }),
      aSite("site-5", { phase: "disconnected", cause: "ERR_SITE_DISCONNECTED" }),
    ],
    history: [
      ...history,
      {
        round: 7,
        startedAtMs: 1_760_000_014_000,
        contributions: [
          aContribution("site-1"),
          aContribution("site-3", { outcome: "refused", cause: "ERR_CONTRIBUTION_NOT_FINITE", norm: 0 }),
        ],
        bytesDown: 245_000,
        bytesUp: 81_000,
      },
    ],
    ...overrides,
  };
}

function troubleOf(name: string, round: number): Partial<ContributionView> {
  if (name === "site-2" && round === 3) return { outcome: "late", cause: "ERR_CONTRIBUTION_LATE", norm: 0 };
  if (name === "site-3" && round === 5)
    return { outcome: "missing", cause: "ERR_CONTRIBUTION_MISSING", norm: 0 };
  if (name === "lab-browser") return { exampleCount: 622, milliseconds: 2_410 };
  return {};
}

/** A source whose observations a test pushes. */
export class PushedSource implements ObservationSource {
  readonly #queue: Observation[] = [];
  #wake: () => void = () => undefined;
  #error: Error | undefined;
  #hasEnded = false;
  /** How often it was observed. */
  observed = 0;

  push(...observations: readonly Observation[]): void {
    this.#queue.push(...observations);
    this.#wake();
  }

  end(): void {
    this.#hasEnded = true;
    this.#wake();
  }

  fail(error: Error): void {
    this.#error = error;
    this.#wake();
  }

  async *observe(signal: AbortSignal): AsyncIterable<Observation> {
    this.observed++;
    signal.addEventListener("abort", () => this.#wake());
    while (!signal.aborted) {
      const next = this.#queue.shift();
      if (next !== undefined) {
        yield next;
      } else {
        if (this.#error !== undefined) throw this.#error;
        if (this.#hasEnded) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

/** A source that holds one snapshot and stays open. */
export function sourceOf(job: JobView): PushedSource {
  const source = new PushedSource();
  source.push({ kind: "snapshot", sequence: 1, job });
  return source;
}
