export type { GaussianMechanism, Mechanism, PrivacyBudget, PureMechanism, Releases } from "./mechanism.ts";
export { PrivacyAccount, type PrivacyStanding, type ReleaseOrder } from "./privacy-account.ts";
export {
  BUDGET_ACTION,
  type LedgerModules,
  ledgerDetails,
  requireRecordedLedgers,
} from "./recorded-ledger.ts";
export {
  type Conversion,
  type ConvertedEpsilon,
  epsilonOf,
  RENYI_ORDERS,
  renyiDivergence,
} from "./renyi.ts";
export { MAX_SPENDING_BYTES, memorySpending, type SpendingStore } from "./spending.ts";
