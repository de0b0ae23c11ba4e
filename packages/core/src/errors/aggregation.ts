import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link AggregationError}. */
export type AggregationErrorCode =
  | "ERR_AGGREGATION_EMPTY"
  | "ERR_AGGREGATION_SHAPE"
  | "ERR_AGGREGATION_NOT_FINITE"
  | "ERR_AGGREGATION_WEIGHT"
  | "ERR_AGGREGATION_TOO_LARGE"
  | "ERR_AGGREGATION_INFEASIBLE";

/** What the codes mean, of aggregation. */
export const AGGREGATION_ERRORS: Readonly<Record<AggregationErrorCode, ErrorHandling>> = {
  ERR_AGGREGATION_EMPTY: { action: "reject" },
  ERR_AGGREGATION_SHAPE: { action: "reject" },
  ERR_AGGREGATION_NOT_FINITE: { action: "reject" },
  ERR_AGGREGATION_TOO_LARGE: { action: "reject" },
  ERR_AGGREGATION_INFEASIBLE: { action: "reject" },
  ERR_AGGREGATION_WEIGHT: { action: "reject" },
};

/** What a person does about them. */
export const AGGREGATION_REMEDIES: Readonly<Record<AggregationErrorCode, string>> = {
  ERR_AGGREGATION_EMPTY: "Wait for at least one contribution.",
  ERR_AGGREGATION_SHAPE: "Aggregate only updates with the same names, dtypes and shapes.",
  ERR_AGGREGATION_NOT_FINITE: "Refuse updates that hold NaN or infinite values.",
  ERR_AGGREGATION_TOO_LARGE: "Let fewer sites take part in a round, or give the host scratch space on disk.",
  ERR_AGGREGATION_INFEASIBLE:
    "Raise minimumSites, lower byzantine, or choose another rule: docs/guide/robustness.md.",
  ERR_AGGREGATION_WEIGHT: "Weights are positive finite numbers.",
};

/** A fault of aggregation. */
export class AggregationError extends PhotinusError<AggregationErrorCode> {}
