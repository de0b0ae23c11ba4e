import { expect, test } from "vitest";
import { parseObservation } from "../src/observation-schema.ts";
import { aRound, aRunningJob, aSite } from "./fixtures.ts";

test("passes every kind of observation unchanged", () => {
  const observations = [
    { kind: "snapshot", sequence: 3, job: aRunningJob() },
    { kind: "increment", sequence: 4, change: { kind: "site", site: aSite("site-1") } },
    { kind: "increment", sequence: 5, change: { kind: "round", round: aRound(1, []) } },
    {
      kind: "increment",
      sequence: 6,
      change: { kind: "job", state: "finished", reason: "rounds done", atMs: 1 },
    },
    {
      kind: "increment",
      sequence: 7,
      change: { kind: "initial-evaluation", evaluation: { accuracy: 0.1, loss: 2, exampleCount: 9 } },
    },
    {
      kind: "increment",
      sequence: 8,
      change: {
        kind: "measurement",
        measurement: { subject: "", site: "site-1", accuracy: 0.1, loss: 2, exampleCount: 9 },
      },
    },
  ];

  for (const observation of observations) expect(parseObservation(observation)).toBe(observation);
});

test.each([
  ["nothing", undefined, "observation.kind"],
  ["a string", "snapshot", "observation.kind"],
  ["an unknown kind", { kind: "constructor", sequence: 1 }, "observation.kind"],
  ["a snapshot without a job", { kind: "snapshot", sequence: 1 }, "observation.job"],
  ["a number as text", { kind: "snapshot", sequence: "1", job: aRunningJob() }, "observation.sequence"],
  [
    "an unknown phase",
    {
      kind: "snapshot",
      sequence: 1,
      job: { ...aRunningJob(), sites: [{ ...aSite("a"), phase: "dancing" }] },
    },
    "observation.job.sites[0].phase",
  ],
  [
    "a figure that is no number",
    {
      kind: "snapshot",
      sequence: 1,
      job: { ...aRunningJob(), history: [{ ...aRound(1, []), bytesUp: Number.NaN }] },
    },
    "observation.job.history[0].bytesUp",
  ],
  [
    "a text without end",
    { kind: "snapshot", sequence: 1, job: { ...aRunningJob(), name: "x".repeat(2_001) } },
    "observation.job.name",
  ],
  [
    "an unknown change",
    { kind: "increment", sequence: 1, change: { kind: "toString" } },
    "observation.change.kind",
  ],
])("refuses %s and names the field", (_name, value, path) => {
  expect(() => parseObservation(value)).toThrow(
    expect.objectContaining({ code: "ERR_MESSAGE_MALFORMED", message: expect.stringContaining(path) }),
  );
});
