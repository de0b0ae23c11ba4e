import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ObservationLog } from "../../src/coordinator/observation-log.ts";
import {
  applyObservation,
  type JobView,
  type Observation,
  type ObservationChange,
  parseObservation,
} from "../../src/message/index.ts";
import { TestFederation } from "./a-federation.ts";

const EMPTY: JobView = {
  jobId: "0".repeat(32),
  name: "job",
  purpose: "",
  state: "waiting",
  reason: "",
  rounds: 3,
  minimumSites: 1,
  startedAtMs: 0,
  modelBytes: 4,
  sites: [],
  history: [],
};

const round = (number: number, bytesUp: number): ObservationChange => ({
  kind: "round",
  round: { round: number, startedAtMs: 0, contributions: [], bytesDown: 0, bytesUp },
});

const changes = fc.array(
  fc
    .record({ number: fc.integer({ min: 1, max: 5 }), bytesUp: fc.nat() })
    .map(({ number, bytesUp }) => round(number, bytesUp)),
);

async function read(log: ObservationLog, fromSequence?: number): Promise<readonly Observation[]> {
  const observations = [];
  const from = fromSequence === undefined ? {} : { fromSequence };
  for await (const observation of log.observe({ ...from, signal: new AbortController().signal })) {
    observations.push(observation);
  }
  return observations;
}

function fold(observations: readonly Observation[]): JobView {
  return observations.reduce(
    (view, next) => (next.kind === "snapshot" ? next.job : applyObservation(view, next.change)),
    EMPTY,
  );
}

describe("the observation log", () => {
  test("gives every reader the same view: snapshot and increments fold to it, wherever the reader begins", async () => {
    await fc.assert(
      fc.asyncProperty(
        changes,
        fc.integer({ min: 1, max: 8 }),
        fc.nat({ max: 20 }),
        async (all, capacity, skip) => {
          const log = new ObservationLog(EMPTY, { capacity, firstSequence: 100 });
          for (const change of all.slice(0, skip)) log.apply(change);
          const reading = read(log);
          for (const change of all.slice(skip)) log.apply(change);
          log.end();

          expect(fold(await reading)).toEqual(log.view);
          expect(fold(await read(log))).toEqual(all.reduce(applyObservation, EMPTY));
        },
      ),
    );
  });

  test("continues after the sequence that a reader has, without a snapshot, while it holds the increments", async () => {
    const log = new ObservationLog(EMPTY, { capacity: 4, firstSequence: 0 });
    for (let number = 1; number <= 4; number++) log.apply(round(number, 0));
    log.end();

    expect((await read(log, 2)).map(({ kind, sequence }) => [kind, sequence])).toEqual([
      ["increment", 3],
      ["increment", 4],
    ]);
  });

  test("gives a snapshot to a reader that is further behind than it holds, or ahead of it", async () => {
    const log = new ObservationLog(EMPTY, { capacity: 2, firstSequence: 0 });
    for (let number = 1; number <= 4; number++) log.apply(round(number, 0));
    log.end();

    expect((await read(log, 1)).map(({ kind, sequence }) => [kind, sequence])).toEqual([["snapshot", 4]]);
    expect((await read(log, 9)).map(({ kind, sequence }) => [kind, sequence])).toEqual([["snapshot", 4]]);
  });

  test("ends when the reader's signal is aborted", async () => {
    const log = new ObservationLog(EMPTY, { capacity: 2, firstSequence: 0 });
    const stop = new AbortController();
    const reading = (async () => {
      for await (const _ of log.observe({ signal: stop.signal })) stop.abort();
    })();

    await expect(reading).resolves.toBeUndefined();
  });

  test("of a real job folds to its last view, and every observation passes the schema of the wire", async () => {
    const federation = await TestFederation.start();
    federation.site("site-1");
    federation.site("site-2");
    const jobId = await federation.submit({ rounds: 2 });
    const observations: Observation[] = [];
    const reading = (async () => {
      const options = { signal: new AbortController().signal };
      for await (const next of federation.coordinator.observe(jobId, options)) observations.push(next);
    })();

    const view = await federation.untilEnd(jobId);
    await federation.clock.runUntil(reading);

    expect(fold(observations.map((observation) => parseObservation(observation)))).toEqual(view);
    await federation.stop();
  });

  test("of a job that has ended is read from storage after a restart", async () => {
    const federation = await TestFederation.start();
    federation.site("site-1");
    federation.site("site-2");
    const jobId = await federation.submit({ rounds: 1 });
    const view = await federation.untilEnd(jobId);

    await federation.clock.runUntil(federation.restart());

    expect(await federation.view(jobId)).toEqual(view);
    await federation.stop();
  });
});
