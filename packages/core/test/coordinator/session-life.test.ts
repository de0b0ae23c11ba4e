import { expect, test } from "vitest";
import { sleep } from "../../src/platform/index.ts";
import { LoginPace } from "../../src/session/index.ts";
import { TestFederation } from "./a-federation.ts";

test("a job goes on over sessions that end because their life is over, and loses no work", async () => {
  const federation = await TestFederation.start({ accept: { timings: { lifetimeMs: 60_000 } } });
  let trainings = 0;
  const hooks = {
    beforeTrain: async (): Promise<void> => {
      trainings += 1;
      await sleep(federation.clock, 25_000);
    },
  };
  federation.site("site-1", { hooks });
  federation.site("site-2", { hooks });

  const jobId = await federation.submit({ rounds: 12 });
  const job = await federation.untilEnd(jobId);

  expect(job).toMatchObject({ state: "finished" });
  expect(trainings).toBe(2 * 12); // nothing was trained twice
  expect(federation.attempts.get("site-1")).toBeGreaterThan(4);
  await federation.stop();
});

test("sites that all log in at once are let in at the pace of the server, none of them forgotten", async () => {
  let mostLive = 0;
  const federation = await TestFederation.start({
    pace: (clock) => new LoginPace(clock, 2), // one handshake at a time
    latencyMs: 100,
  });
  const names = ["site-1", "site-2", "site-3", "site-4"];

  for (const name of names) federation.site(name);
  for (let second = 0; second < 30; second++) {
    await federation.clock.advance(1000);
    mostLive = Math.max(mostLive, federation.coordinator.sites().length);
  }

  expect(federation.coordinator.sites().map(({ name }) => name)).toEqual(names);
  expect(mostLive).toBe(4);
  const attempts = [...federation.attempts.values()].reduce((sum, count) => sum + count, 0);
  expect(attempts).toBeGreaterThan(4); // some were sent away,
  expect(attempts).toBeLessThan(16); // and came back when they were told, not over and over
  await federation.stop();
});
