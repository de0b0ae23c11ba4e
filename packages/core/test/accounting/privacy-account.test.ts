import { describe, expect, test } from "vitest";
import {
  epsilonOf,
  type Mechanism,
  memorySpending,
  PrivacyAccount,
  type ReleaseOrder,
} from "../../src/accounting/index.ts";
import { fromUtf8, utf8 } from "../../src/bytes/index.ts";

const DELTA = 1e-5;
const NOISE: Mechanism = { kind: "gaussian", noiseMultiplier: 4, samplingRate: 1 };
const epsilonAfter = (count: number) => epsilonOf([{ mechanism: NOISE, count }], DELTA).epsilon;

const job = (digit: string): string => digit.repeat(32);

/** Enough for `count` releases and no more. */
function order(jobId: string, count: number, scope = "study"): ReleaseOrder {
  return { scope, jobId, mechanisms: [NOISE], budget: { epsilon: epsilonAfter(count), delta: DELTA } };
}

const REFUSED = { code: "ERR_PRIVACY_BUDGET" };

describe("a privacy account", () => {
  test("admits a job that fits exactly and refuses one that needs one release more, before anything is spent", async () => {
    const account = new PrivacyAccount(memorySpending());

    await expect(account.reserve(order(job("a"), 10), 11)).rejects.toMatchObject(REFUSED);
    await account.reserve(order(job("a"), 10), 10);

    expect(await account.standing("study", undefined)).toEqual({ releases: 0 });
  });

  test("counts what other jobs were admitted for, until they end", async () => {
    const account = new PrivacyAccount(memorySpending());
    await account.reserve(order(job("a"), 10), 6);

    await expect(account.reserve(order(job("b"), 10), 5)).rejects.toMatchObject(REFUSED);
    account.release(job("a"));

    await account.reserve(order(job("b"), 10), 5);
  });

  test("two jobs that ask at once never get the same remainder", async () => {
    const account = new PrivacyAccount(memorySpending());

    const both = await Promise.allSettled([
      account.reserve(order(job("a"), 10), 6),
      account.reserve(order(job("b"), 10), 6),
    ]);

    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  });

  test("a job that ends while it is being admitted keeps nothing", async () => {
    const account = new PrivacyAccount(memorySpending());

    const admitted = account.reserve(order(job("a"), 10), 6);
    account.release(job("a"));
    await admitted;

    await account.reserve(order(job("b"), 10), 10);
  });

  test("more kinds of noise than a scope can keep are refused before anything is trained", async () => {
    const account = new PrivacyAccount(memorySpending());
    const kinds = (count: number, from: number): readonly Mechanism[] =>
      Array.from({ length: count }, (_, index) => ({ ...NOISE, noiseMultiplier: from + index }));
    const open = { ...order(job("a"), 1), budget: undefined };
    await account.spend({ ...open, mechanisms: kinds(1_000, 4) });

    await expect(account.reserve({ ...open, mechanisms: kinds(1, 3) }, 2)).rejects.toMatchObject(REFUSED);
    await account.reserve({ ...open, mechanisms: kinds(1, 4) }, 2);
  });

  test("tells ε after each release, and keeps it beyond the process", async () => {
    const store = memorySpending();
    const account = new PrivacyAccount(store);
    await account.reserve(order(job("a"), 3), 3);

    const first = await account.spend(order(job("a"), 3));
    const second = await new PrivacyAccount(store).spend(order(job("a"), 3));

    expect(first).toMatchObject({ releases: 1, epsilon: epsilonAfter(1) });
    expect(second).toMatchObject({ releases: 2, epsilon: epsilonAfter(2) });
  });

  test("a job that goes on after a restart asks only for what it has not released", async () => {
    const store = memorySpending();
    const before = new PrivacyAccount(store);
    await before.reserve(order(job("a"), 10), 10);
    for (let round = 0; round < 7; round++) await before.spend(order(job("a"), 10));
    const after = new PrivacyAccount(store);

    await after.reserve(order(job("a"), 10), 10);

    await expect(after.reserve(order(job("b"), 10), 1)).rejects.toMatchObject(REFUSED);
  });

  test("a round that is trained again spends again, and never what others were admitted for", async () => {
    const account = new PrivacyAccount(memorySpending());
    await account.reserve(order(job("a"), 10), 4);
    await account.reserve(order(job("b"), 10), 5);
    for (let round = 0; round < 4; round++) await account.spend(order(job("a"), 10));

    const fifth = await account.spend(order(job("a"), 10));
    const sixth = account.spend(order(job("a"), 10));

    expect(fifth.releases).toBe(5);
    await expect(sixth).rejects.toMatchObject(REFUSED);
  });

  test("scopes are apart, and without a budget everything is added up and nothing refused", async () => {
    const account = new PrivacyAccount(memorySpending());
    await account.spend(order(job("a"), 1));
    const open = { ...order(job("b"), 1, "open"), budget: undefined };

    for (let round = 0; round < 5; round++) await account.spend(open);

    expect(await account.standing("study", undefined)).toEqual({ releases: 1 });
    expect(await account.standing("open", undefined)).toEqual({ releases: 5 });
  });

  test("what cannot be read or written releases nothing", async () => {
    const store = memorySpending();
    const account = new PrivacyAccount(store);
    await store.write(
      "study",
      utf8('{"version":1,"releases":[{"mechanism":{"kind":"none"},"count":1}],"jobs":[]}'),
    );

    await expect(account.spend(order(job("a"), 1))).rejects.toMatchObject({ code: "ERR_STORAGE_CORRUPT" });
    const full = new PrivacyAccount({
      read: () => Promise.resolve(undefined),
      write: () => Promise.reject(new Error("disk full")),
    });
    await expect(full.spend(order(job("a"), 1))).rejects.toThrow("disk full");
  });

  test("keeps no more than the numbers", async () => {
    const store = memorySpending();
    await new PrivacyAccount(store).spend(order(job("a"), 1));

    const kept: unknown = JSON.parse(fromUtf8((await store.read("study")) ?? new Uint8Array(0)));

    expect(kept).toEqual({
      version: 1,
      releases: [{ mechanism: NOISE, count: 1 }],
      jobs: [{ jobId: job("a"), count: 1 }],
    });
  });
});
