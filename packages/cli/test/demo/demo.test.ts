import { expect, test } from "vitest";
import { leftIn, startDemo } from "./demo-process.ts";

/** Processes of their own take their time on a busy machine. */
const PATIENCE = { timeout: 60_000 };

test("--json prints the report as the last line and leaves nothing behind", PATIENCE, async () => {
  const { ended, folder } = await startDemo(
    "--json",
    "--rounds",
    "2",
    "--sites",
    "2",
    "--model",
    "mlp",
    "--port",
    "0",
  );

  const { code, out, err } = await ended;

  expect(code, err).toBe(0);
  const report = JSON.parse(out.trim().split("\n").at(-1)!);
  expect(report).toMatchObject({ rounds: 2, sites: 2, audit: { verified: true } });
  expect(Object.keys(report)).toEqual([
    "rounds",
    "sites",
    "accuracy",
    "loss",
    "seconds",
    "secondsToFirstRound",
    "bytesUp",
    "bytesDown",
    "audit",
  ]);
  expect(report.accuracy).toBeGreaterThan(0.6);
  expect(report.audit.records).toBeGreaterThan(10);
  // Two updates and more than two models of 814 120 bytes a round: nothing was counted twice or left out.
  expect(report.bytesUp).toBeGreaterThanOrEqual(4 * 814_120);
  expect(report.bytesUp).toBeLessThan(4.2 * 814_120);
  expect(
    err.match(/^\[round \d\/2\] 2 sites {2}2 accepted {2}0 refused {2}accuracy 0\.\d{3}/gm),
  ).toHaveLength(2);
  expect(await leftIn(folder)).toEqual([]);
});
