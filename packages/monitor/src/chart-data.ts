import type { JobView } from "@photinus/core/message/observation";

/** One point of the curves: a model version as the sites evaluated it. */
export interface ChartPoint {
  /** 0 is the model as submitted. */
  readonly round: number;
  /** Held-out accuracy in [0, 1], or `null` when not evaluated yet. */
  readonly accuracy: number | null;
  /** Held-out loss, or `null`. */
  readonly loss: number | null;
  /** Mean local training loss of the round, or `null`. */
  readonly trainingLoss: number | null;
  /** Contributions that counted. */
  readonly accepted: number;
  /** Duration of the round in milliseconds, or `null` while it runs. */
  readonly milliseconds: number | null;
}

/** The curves of a job, in order of rounds; rounds without any figure are left out. */
export function chartPoints({ initialEvaluation, history }: JobView): readonly ChartPoint[] {
  const start: ChartPoint[] =
    initialEvaluation === undefined
      ? []
      : [
          {
            round: 0,
            accuracy: initialEvaluation.accuracy,
            loss: initialEvaluation.loss,
            trainingLoss: null,
            accepted: 0,
            milliseconds: null,
          },
        ];
  const rounds = history
    .filter(({ evaluation, trainingLoss }) => evaluation !== undefined || trainingLoss !== undefined)
    .map(({ round, evaluation, trainingLoss, contributions, startedAtMs, endedAtMs }) => ({
      round,
      accuracy: evaluation?.accuracy ?? null,
      loss: evaluation?.loss ?? null,
      trainingLoss: trainingLoss ?? null,
      accepted: contributions.filter(({ outcome }) => outcome === "accepted").length,
      milliseconds: endedAtMs === undefined ? null : endedAtMs - startedAtMs,
    }));
  return [...start, ...rounds];
}
