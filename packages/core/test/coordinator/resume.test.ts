import { expect, test } from "vitest";
import { fromUtf8 } from "../../src/bytes/index.ts";
import type { MetadataStore } from "../../src/platform/index.ts";
import { TestFederation } from "./a-federation.ts";
import { interruptible } from "./interruptible.ts";
import { linearData } from "./linear-trainer.ts";
import { plainLoop } from "./plain-loop.ts";

const ROUNDS = 2;
/** start, then per round broadcast, aggregate, checkpoint, then broadcast and aggregate of the last evaluation. */
const CALLS = 1 + 3 * ROUNDS + 2;

async function finalWeights(federation: TestFederation, jobId: string): Promise<readonly number[]> {
  const user = await federation.user();
  const { model, version } = await federation.clock.runUntil(user.job(jobId).result());
  expect(version).toBe(ROUNDS);
  return [...(model.get("weight")?.f32 ?? []), ...(model.get("bias")?.f32 ?? [])];
}

/** Runs a job and lets the server die once, at a journal entry. */
async function runWithCrash(crashAt: number, when: "before" | "after"): Promise<void> {
  const metadata = interruptible();
  const federation = await TestFederation.start({ metadata });
  for (const name of ["site-1", "site-2", "site-3"]) federation.site(name);
  await federation.clock.settle();
  const dead = new Promise<void>((resolve) => {
    metadata.onJournal = async (number) => {
      if (number !== crashAt) return;
      metadata.onJournal = undefined;
      if (when === "after") queueMicrotask(resolve);
      else {
        resolve();
        await new Promise(() => undefined); // this process never gets any further
      }
    };
  });
  const jobId = await federation.submit({ rounds: ROUNDS, minimumSites: 3 });
  await federation.clock.runUntil(dead);
  const orders = await recordedOrders(metadata);
  await federation.clock.runUntil(federation.crash());

  const view = await federation.untilEnd(jobId);

  expect(view).toMatchObject({ state: "finished", reason: "rounds done" });
  const committed = view.history.map(({ contributions }) => contributions.map(({ site }) => site));
  expect(committed.map((sites) => [...sites].sort())).toEqual(
    Array.from({ length: ROUNDS }, () => ["site-1", "site-2", "site-3"]),
  );
  // What was added before the crash is added in the same order after it; a task that was not recorded is given anew.
  const isAggregate = crashAt % 3 === 2;
  const continues = (order: readonly string[]) =>
    committed.some((sites) => sites.join().startsWith(order.join()));
  expect(orders.filter((order) => isAggregate && !continues(order))).toEqual([]);
  const plain = await plainLoop(committed, (site) => linearData(site), federation.crypto);
  const expected = [...(plain.model.get("weight")?.f32 ?? []), ...(plain.model.get("bias")?.f32 ?? [])];
  expect(await finalWeights(federation, jobId)).toEqual(expected);
  await federation.stop();
}

async function recordedOrders(metadata: MetadataStore): Promise<readonly (readonly string[])[]> {
  const entries = await metadata.list("commit-order/");
  return entries.map(({ value }) => JSON.parse(fromUtf8(value)) as string[]);
}

test.each(Array.from({ length: CALLS }, (_, number) => number))(
  "a server that dies as context call %i is recorded resumes and makes the same bits",
  async (number) => {
    await runWithCrash(number, "before");
    await runWithCrash(number, "after");
  },
);
