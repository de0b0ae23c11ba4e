import { expect, test } from "vitest";
import { TestFederation } from "./a-federation.ts";

const MINUTE_MS = 60_000;

test("a user's session ends when nothing was asked for so long, and says so; what is asked for begins the time anew", async () => {
  const federation = await TestFederation.start({ coordinator: { userIdleMs: 30 * MINUTE_MS } });
  const user = await federation.user();
  let end: { readonly code: string; readonly detail: string } | undefined;
  void user.ended.then((told) => {
    end = told;
  });

  await federation.clock.advance(29 * MINUTE_MS);
  await federation.clock.runUntil(user.jobs());
  await federation.clock.advance(29 * MINUTE_MS);
  expect(end).toBeUndefined();
  await federation.clock.advance(2 * MINUTE_MS);

  expect(end).toMatchObject({
    code: "ERR_GOING_AWAY",
    detail: "nothing was asked for in 1800 s: the session was idle",
  });
  await federation.stop();
});

test("a session that watches a job is no idle one, and is once that is over", async () => {
  const federation = await TestFederation.start({ coordinator: { userIdleMs: 30 * MINUTE_MS } });
  const jobId = await federation.submit({ waitForSitesMs: 60 * MINUTE_MS });
  const user = await federation.user();
  let hasEnded = false;
  void user.ended.then(() => {
    hasEnded = true;
  });

  const last = await federation.clock.runUntil(user.job(jobId).ended(), 90 * MINUTE_MS);
  expect([last?.state, hasEnded]).toEqual(["failed", false]);
  await federation.clock.advance(31 * MINUTE_MS);

  expect(hasEnded).toBe(true);
  await federation.stop();
});
