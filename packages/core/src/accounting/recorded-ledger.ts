import { LOSS_ACTION } from "../audit/index.ts";
import { type Bytes, toHex } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import type { AuditStore, CryptoProvider } from "../platform/index.ts";
import { releasesIn } from "./mechanism.ts";
import { decodeSpending, type SpendingStore } from "./spending.ts";

/** Action of the records that hold where a scope's ledger stood after a release. */
export const BUDGET_ACTION = "budget";

interface RecordedLedger {
  readonly releases: number;
  readonly digest: string;
}

/** What the record of a release says of the ledger that it was written into. */
export async function ledgerDetails(
  ledger: Bytes,
  crypto: CryptoProvider,
): Promise<{ readonly ledger: string }> {
  return { ledger: toHex(await crypto.sha256(ledger)) };
}

/** Where it is kept what was spent, and what was recorded of it. */
export interface LedgerModules {
  /** The chain of this site. */
  readonly audit: Pick<AuditStore, "read">;
  /** The ledgers. */
  readonly spending: Pick<SpendingStore, "read">;
  /** Hashes. */
  readonly crypto: CryptoProvider;
}

/**
 * Holds the ledgers of a site against its audit chain, whose heads the server witnesses: one that was put back to an earlier
 * state would spend a budget again. A ledger may be further than the chain, by what a crash kept from being recorded. What an
 * operator said to be lost is not asked for.
 *
 * @throws StorageError `ERR_BUDGET_BEHIND`, `ERR_STORAGE_CORRUPT`
 */
export async function requireRecordedLedgers({ audit, spending, crypto }: LedgerModules): Promise<void> {
  for (const [scope, recorded] of await recordedLedgers(audit)) {
    const bytes = await spending.read(scope);
    const releases = bytes === undefined ? 0 : releasesIn(decodeSpending(bytes).releases);
    if (releases > recorded.releases) continue;
    const isSame = bytes !== undefined && toHex(await crypto.sha256(bytes)) === recorded.digest;
    if (isSame && releases === recorded.releases) continue;
    throw new StorageError(
      "ERR_BUDGET_BEHIND",
      `scope ${scope}: ${recorded.releases} releases are on record, and its ledger ${releases === recorded.releases ? "was changed" : `tells of ${releases}`}`,
    );
  }
}

async function recordedLedgers(
  audit: Pick<AuditStore, "read">,
): Promise<ReadonlyMap<string, RecordedLedger>> {
  const ledgers = new Map<string, RecordedLedger>();
  for await (const { event } of audit.read()) {
    if (event.action === LOSS_ACTION) ledgers.clear();
    if (event.action !== BUDGET_ACTION || event.outcome !== "done") continue;
    const { scope, releases, ledger } = event.details;
    if (typeof scope !== "string" || typeof releases !== "number" || typeof ledger !== "string") continue;
    if (releases < (ledgers.get(scope)?.releases ?? 0)) continue; // two jobs of a scope record in any order
    ledgers.set(scope, { releases, digest: ledger });
  }
  return ledgers;
}
