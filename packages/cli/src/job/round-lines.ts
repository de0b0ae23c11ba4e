import { hasJobEnded, type JobView, type RoundView } from "@photinus/core/message";
import { megabytes } from "../megabytes.ts";

function signed(change: number): string {
  return `${change < 0 ? "-" : "+"}${Math.abs(change).toFixed(3)}`;
}

/** Accuracy of the model that the round began with; `undefined` when no site evaluated it. */
function accuracyBefore(job: JobView, round: number): number | undefined {
  if (round === 1) return job.initialEvaluation?.accuracy;
  return job.history.find((other) => other.round === round - 1)?.evaluation?.accuracy;
}

function evaluationOf(job: JobView, { round, evaluation }: RoundView): string {
  if (evaluation === undefined) return "not evaluated";
  const before = accuracyBefore(job, round);
  const change = before === undefined ? "" : ` (${signed(evaluation.accuracy - before)})`;
  const others = (evaluation.metrics ?? []).map(({ name, value }) => `  ${name} ${value.toFixed(3)}`);
  return `accuracy ${evaluation.accuracy.toFixed(3)}${change}  loss ${evaluation.loss.toFixed(2)}${others.join("")}`;
}

/** One line about a round that is over. */
export function roundLine(job: JobView, round: RoundView): string {
  const accepted = round.contributions.filter(({ outcome }) => outcome === "accepted").length;
  const sites = round.contributions.length;
  const refused = sites - accepted;
  const seconds = ((round.endedAtMs ?? round.startedAtMs) - round.startedAtMs) / 1_000;
  return [
    `[round ${round.round}/${job.rounds}] ${sites} ${sites === 1 ? "site" : "sites"}`,
    `${accepted} accepted`,
    `${refused} refused`,
    evaluationOf(job, round),
    `${seconds.toFixed(1)} s`,
    `↓${megabytes(round.bytesDown)} ↑${megabytes(round.bytesUp)}`,
  ].join("  ");
}

/**
 * Rounds that can be told: committed, and the model that they made evaluated. When the job has ended, those without an
 * evaluation too.
 */
export function tellableRounds(job: JobView): readonly RoundView[] {
  const hasEnded = hasJobEnded(job.state);
  return job.history.filter(
    ({ endedAtMs, evaluation }) => endedAtMs !== undefined && (evaluation !== undefined || hasEnded),
  );
}
