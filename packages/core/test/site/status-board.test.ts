import { expect, test } from "vitest";
import { atRound } from "../../src/site/status-board.ts";

test("a round has one entry, its latest: a server that repeats one without end fills no memory", () => {
  const first = atRound(atRound([], { round: 1, loss: 0.5 }), { round: 2, loss: 0.4 });

  expect(atRound(first, { round: 1, loss: 0.3 })).toEqual([
    { round: 2, loss: 0.4 },
    { round: 1, loss: 0.3 },
  ]);
});
