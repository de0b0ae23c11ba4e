import { once } from "node:events";
import { expect, test } from "vitest";
import { isAlive, leftIn, type Running, sitesOf, startDemo } from "./demo-process.ts";

/** A demo that would go on for long, once both its sites run. */
async function longDemo(): Promise<Running & { readonly sites: readonly number[] }> {
  const what = ["--rounds", "1000", "--sites", "2", "--model", "mlp", "--port", "0"];
  const demo = await startDemo(...what);
  await once(demo.child.stdout!, "data");
  await expect.poll(() => sitesOf(demo.child.pid!), { timeout: 10_000 }).toHaveLength(2);
  return { ...demo, sites: await sitesOf(demo.child.pid!) };
}

test.runIf(process.platform === "linux")("sites end with a demo that is killed outright", async () => {
  const { child, ended, sites } = await longDemo();

  child.kill("SIGKILL");
  await ended;

  await expect.poll(() => sites.filter(isAlive), { timeout: 10_000 }).toEqual([]);
});

test.runIf(process.platform === "linux")("a site that dies ends the demo with its name", async () => {
  const { ended, sites } = await longDemo();

  process.kill(sites[0]!, "SIGKILL");
  const { code, err } = await ended;

  expect(code).toBe(1);
  expect(err).toMatch(/^ERR_TRAINER_LOST site site-\d ended/m);
});

test.each([
  ["cnn", 5, 0.92],
  ["mlp", 5, 0.86],
])("the %s reaches its accuracy after %i rounds", async (model, rounds, accuracy) => {
  const { ended } = await startDemo("--json", "--rounds", String(rounds), "--model", model, "--port", "0");

  const { code, out, err } = await ended;

  expect(code, err).toBe(0);
  const report = JSON.parse(out.trim().split("\n").at(-1)!);
  expect(report.accuracy).toBeGreaterThanOrEqual(accuracy);
});

test.runIf(process.platform === "linux")("Ctrl-C stops every process and removes every file", async () => {
  const { child, ended, folder, sites } = await longDemo();

  child.kill("SIGINT");
  const { code } = await ended;

  expect(code).toBe(130);
  expect(sites.filter(isAlive)).toEqual([]);
  expect(await leftIn(folder)).toEqual([]);
});
