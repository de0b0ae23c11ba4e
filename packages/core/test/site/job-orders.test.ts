import { expect, test } from "vitest";
import { type AuditLog, auditLog } from "../../src/audit/index.ts";
import type { VerifiedObject } from "../../src/envelope/index.ts";
import { StorageError } from "../../src/errors/index.ts";
import type { Participant } from "../../src/pki/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { JobOrders } from "../../src/site/job-orders.ts";
import { memoryAudit, virtualClock } from "../../src/testing/index.ts";

const lead = (name: string, leaf = 1): Participant => ({
  ...{ project: "test", name, org: "north", role: "lead", chain: [], mutualTls: false },
  leafDigest: new Uint8Array(32).fill(leaf),
});
const ANN = lead("ann@north.org");

const JOB = "ab".repeat(16);
const OTHER = "cd".repeat(16);

/** An order as the session hands it over, verified. */
const orderOf = (signer: Participant, expiresAt = 1_000): VerifiedObject => ({
  ...{ objectType: 81, signer, audience: "all", objectId: new Uint8Array(16), counter: undefined },
  ...{ issuedAt: 0, expiresAt, scope: undefined, payload: new Uint8Array(0) },
  ...{ payloadDigest: new Uint8Array(32), bytes: new Uint8Array(0) },
});

const ordersAt = () => new JobOrders("south", {});
const proposal = (jobId: string) => ({ jobId, submitter: ANN }) as Parameters<JobOrders["endedBefore"]>[0]; // nothing else of it is looked at
const early = (orders: JobOrders, jobId: string, order: VerifiedObject) =>
  orders.abort(order, { jobId, reason: "" }, undefined);

test("an order that came before its job ends it, once and while it is valid, and no other job", async () => {
  const orders = ordersAt();
  await early(orders, JOB, orderOf(ANN));

  expect(await orders.endedBefore(proposal(OTHER), 0)).toBeUndefined();
  expect(await orders.endedBefore(proposal(JOB), 999)).toBe("ann@north.org has ended this job");
  expect(await orders.endedBefore(proposal(JOB), 999)).toBeUndefined();

  await early(orders, JOB, orderOf(ANN));
  expect(await orders.endedBefore(proposal(JOB), 1_000)).toBeUndefined();
});

test("an order that came before its job counts only from whom the policy lets end it", async () => {
  const orders = ordersAt();
  await early(orders, JOB, orderOf(lead("eve@north.org", 2)));

  expect(await orders.endedBefore(proposal(JOB), 0)).toBeUndefined();
});

test("an order whose decision could not be recorded ends its job when that comes again", async () => {
  let isFull = true;
  const store = auditLog(memoryAudit(webCrypto()), virtualClock());
  const audit: AuditLog = {
    record: async (note) => {
      if (isFull) throw new StorageError("ERR_STORAGE_UNAVAILABLE", "full");
      return await store.record(note);
    },
  };
  const orders = new JobOrders("south", { audit });
  await early(orders, JOB, orderOf(ANN));

  await expect(orders.endedBefore(proposal(JOB), 0)).rejects.toMatchObject({
    code: "ERR_STORAGE_UNAVAILABLE",
  });
  isFull = false;
  expect(await orders.endedBefore(proposal(JOB), 0)).toBe("ann@north.org has ended this job");
});

test("of too many orders the oldest are forgotten", async () => {
  const orders = ordersAt();
  await early(orders, JOB, orderOf(ANN));
  for (let count = 0; count < 256; count++) {
    await early(orders, count.toString(16).padStart(32, "0"), orderOf(ANN));
  }

  expect(await orders.endedBefore(proposal(JOB), 0)).toBeUndefined();
  expect(await orders.endedBefore(proposal("0".repeat(32)), 0)).toContain("has ended");
});
