import type { SiteJobStatus } from "@photinus/core/site";
import { expect, test } from "vitest";
import { ownCurve } from "../../src/join/own-curve.ts";

const evaluation = (accuracy: number) => ({ accuracy, loss: 1 - accuracy, exampleCount: 10 });

const job: SiteJobStatus = {
  jobId: "j",
  name: "digits",
  purpose: "",
  submitter: "admin",
  rounds: 5,
  device: "wasm",
  trainingExamples: 60,
  heldOutExamples: 10,
  round: 3,
  evaluations: [1, 2, 3].map((round) => ({ round, evaluation: evaluation(round / 10) })),
  losses: [1, 2, 3].map((round) => ({ round, loss: 1 / round })),
};

test("shows the evaluation at the start of a round as what the round before made", () => {
  const { initialEvaluation, history } = ownCurve(job);

  expect(initialEvaluation).toEqual(evaluation(0.1));
  expect(
    history.map(({ round, evaluation: made, trainingLoss }) => [round, made?.accuracy, trainingLoss]),
  ).toEqual([
    [1, 0.2, 1],
    [2, 0.3, 1 / 2],
    [3, undefined, 1 / 3],
  ]);
});

test("shows a site that came in the middle from there on", () => {
  const { initialEvaluation, history } = ownCurve({
    ...job,
    evaluations: job.evaluations.slice(2),
    losses: [],
  });

  expect(initialEvaluation).toBeUndefined();
  expect(history.map(({ round }) => round)).toEqual([2]);
});
