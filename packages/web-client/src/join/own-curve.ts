import type { JobView, Observation, ObservationSource, RoundView } from "@photinus/core/message/observation";
import type { SiteJobStatus, SiteStatus } from "@photinus/core/site";

/** What this site measured, in the form that the chart reads: round r is the model that round r made. */
export function ownCurve(job: SiteJobStatus): JobView {
  const byRound = new Map<number, RoundView>();
  const round = (number: number): RoundView =>
    byRound.get(number) ?? { round: number, startedAtMs: 0, contributions: [], bytesDown: 0, bytesUp: 0 };
  // A model is evaluated when it comes, at the start of a round: it is what the round before made.
  for (const { round: number, evaluation } of job.evaluations) {
    if (number > 1) byRound.set(number - 1, { ...round(number - 1), evaluation });
  }
  for (const { round: number, loss } of job.losses)
    byRound.set(number, { ...round(number), trainingLoss: loss });
  const first = job.evaluations.find(({ round: number }) => number === 1);
  return {
    jobId: job.jobId,
    name: job.name,
    purpose: job.purpose,
    state: "running",
    reason: "",
    rounds: job.rounds,
    minimumSites: 1,
    startedAtMs: 0,
    modelBytes: 0,
    ...(first === undefined ? {} : { initialEvaluation: first.evaluation }),
    sites: [],
    history: [...byRound.values()].sort((left, right) => left.round - right.round),
  };
}

/** Shows the statuses of a site to an element as observations of its job. */
export class OwnCurveSource implements ObservationSource {
  #job: JobView | undefined;
  #sequence = 0;
  #wake: () => void = () => undefined;

  /** Shows `status` from now on. */
  show({ job }: SiteStatus): void {
    if (job === undefined) return;
    this.#job = ownCurve(job);
    this.#sequence++;
    this.#wake();
  }

  async *observe(signal: AbortSignal): AsyncIterable<Observation> {
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    let shown = 0;
    while (!signal.aborted) {
      if (this.#job !== undefined && shown !== this.#sequence) {
        shown = this.#sequence;
        yield { kind: "snapshot", sequence: shown, job: this.#job };
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}
