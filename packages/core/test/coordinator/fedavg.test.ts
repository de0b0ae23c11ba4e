import { expect, test } from "vitest";
import { TestFederation } from "./a-federation.ts";
import { linearData } from "./linear-trainer.ts";
import { plainLoop } from "./plain-loop.ts";

const SITES = ["site-1", "site-2", "site-3"];
const EXAMPLES: Readonly<Record<string, number>> = { "site-1": 20, "site-2": 30, "site-3": 40 };
const ROUNDS = 3;

test("FedAvg over the platform equals the plain loop with the same seeds", async () => {
  const federation = await TestFederation.start();
  for (const name of SITES) federation.site(name, { examples: EXAMPLES[name] ?? 0 });
  await federation.clock.settle();
  const jobId = await federation.submit({ rounds: ROUNDS, minimumSites: 3 });

  const view = await federation.untilEnd(jobId);

  expect(view).toMatchObject({ state: "finished", reason: "rounds done" });
  const order = view.history.map(({ contributions }) => contributions.map(({ site }) => site));
  const plain = await plainLoop(order, (site) => linearData(site, EXAMPLES[site]), federation.crypto);
  const accuracies = [view.initialEvaluation, ...view.history.map(({ evaluation }) => evaluation)];
  expect(accuracies.map((evaluation) => evaluation?.accuracy.toFixed(4))).toEqual(
    plain.evaluations.map(({ accuracy }) => accuracy.toFixed(4)),
  );
  const user = await federation.user();
  const { model, version } = await federation.clock.runUntil(user.job(jobId).result());
  expect(version).toBe(ROUNDS);
  expect(plain.evaluations.at(-1)?.accuracy).toBeGreaterThan(plain.evaluations[0]?.accuracy ?? 1);
  expect([...(model.get("weight")?.f32 ?? [])]).toEqual([...(plain.model.get("weight")?.f32 ?? [])]);
  await federation.stop();
});
