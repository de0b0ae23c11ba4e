import { expect, test } from "vitest";
import {
  BUDGET_ACTION,
  ledgerDetails,
  memorySpending,
  PrivacyAccount,
  requireRecordedLedgers,
  type SpendingStore,
} from "../../src/accounting/index.ts";
import { auditLog, recordLoss } from "../../src/audit/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { memoryAudit, virtualClock } from "../../src/testing/index.ts";

const crypto = webCrypto();
const order = {
  ...{ scope: "study", jobId: "0".repeat(32), budget: undefined },
  mechanisms: [{ kind: "pure", epsilon: 0.5 }],
} as const;

/** A site that has released twice, and recorded it. */
async function twoReleases() {
  const audit = memoryAudit(crypto);
  const log = auditLog(audit, virtualClock());
  const spending = memorySpending();
  const account = new PrivacyAccount(spending);
  const states = [];
  for (let round = 1; round <= 2; round++) {
    const { releases, ledger } = await account.spend(order);
    const details = { scope: order.scope, releases, ...(await ledgerDetails(ledger, crypto)) };
    await log.record({ action: BUDGET_ACTION, outcome: "done", details });
    states.push(ledger);
  }
  const required = (read: SpendingStore["read"]): Promise<void> =>
    requireRecordedLedgers({ audit, spending: { read }, crypto });
  return { log, account, spending, states, required };
}

test("a restart finds the ledgers as they were recorded, or further by what a crash left unrecorded", async () => {
  const { account, spending, required } = await twoReleases();

  await required((scope) => spending.read(scope));
  await account.spend(order);
  await required((scope) => spending.read(scope));
});

test("an older ledger, a missing one and one that was changed are refused", async () => {
  const { states, required } = await twoReleases();
  const changed = new TextEncoder().encode(new TextDecoder().decode(states[1]).replace("0.5", "0.1"));
  for (const [ledger, words] of [
    [states[0], "2 releases are on record, and its ledger tells of 1"],
    [undefined, "tells of 0"],
    [changed, "was changed"],
  ] as const)
    await expect(required(async () => ledger)).rejects.toMatchObject({
      code: "ERR_BUDGET_BEHIND",
      message: expect.stringContaining(words),
    });
});

test("what an operator has accepted as lost is not asked for", async () => {
  const { log, required } = await twoReleases();

  await recordLoss(log, "the disk was replaced");

  await required(async () => undefined);
});
