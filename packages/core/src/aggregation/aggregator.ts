import type { Bytes } from "../bytes/index.ts";
import type { Kernels } from "../kernels/index.ts";
import type { Clock, CryptoProvider, ScratchStore } from "../platform/index.ts";
import type { TensorLayout } from "../tensor/index.ts";
import type { AggregationDefinition } from "./definition.ts";

/** One site's update of a round. */
export interface Contribution {
  /** The delta, packed by the layout that the aggregator was made for. Read only, not kept. */
  readonly update: Bytes;
  /** Number of training examples: > 0 and finite. */
  readonly weight: number;
  /**
   * ‖a_k‖₁ of FedNova: how far the site went, counted in steps of its optimizer; > 0 and at most {@link MAX_LOCAL_WORK}. For
   * rules that divide by it. Default: 1.
   */
  readonly localWork?: number;
  /**
   * Asked once, with its L2 norm, when the turn of this contribution has come and it was found valid, in the same synchronous stretch
   * that begins to add it; `false` leaves the aggregate as it is. For callers who record the order of commits.
   */
  readonly admit?: (norm: number) => boolean;
}

/** Longest way that a site may say to have gone in a round. */
export const MAX_LOCAL_WORK = 1e12;

/** What an aggregator yields. */
export interface Aggregate {
  /** The combined delta, packed by the layout. */
  readonly update: Bytes;
  /** Sum of the weights. */
  readonly weight: number;
  /** Number of contributions in it. */
  readonly contributions: number;
}

/**
 * Combines the updates of one round after another, one update at a time (FLARE: aggregator). Memory does not grow with
 * their number beyond a fixed bound. The same contributions in the same order give the same bits, on every platform.
 */
export interface Aggregator {
  /**
   * L2 norm of an update; changes nothing.
   * @throws AggregationError `ERR_AGGREGATION_SHAPE` for another length than the layout's,
   *   `ERR_AGGREGATION_NOT_FINITE` when a value is NaN or infinite
   */
  measure(update: Bytes): Promise<number>;
  /**
   * Takes a contribution in. Calls that overlap run one after another in the order in which they were made. A refused
   * one leaves the aggregate as it was.
   * @returns what `admit` answered; true without it
   * @throws AggregationError as {@link measure} does, `ERR_AGGREGATION_NOT_FINITE` also for one so large that a sum of
   *   such could overflow, and `ERR_AGGREGATION_WEIGHT`
   */
  add(contribution: Contribution): Promise<boolean>;
  /**
   * The aggregate of what was added since the last {@link reset}; adds nothing further.
   * @param target where the update goes, of the layout's length; fresh memory when absent
   * @throws AggregationError `ERR_AGGREGATION_EMPTY`
   */
  finish(target?: Bytes): Promise<Aggregate>;
  /** Begins anew, for the next round. @param expected how many contributions may come, for rules that hold them all */
  reset(expected?: number): void;
  /** Gives the memory back; idempotent. */
  release(): void;
}

/** What aggregators work with. */
export interface AggregatorModules {
  /** Numeric loops. */
  readonly kernels: Kernels;
  /** Time. */
  readonly clock: Clock;
  /** Encrypts what goes to disk. */
  readonly crypto: CryptoProvider;
  /** Where updates go that rules have to see together. Absent: they must fit in memory. */
  readonly scratch?: ScratchStore | undefined;
}

/**
 * Makes an aggregator for updates of one layout.
 * @param definition what the job says; `{ name: "weighted-mean" }` when absent
 * @throws AggregationError `ERR_AGGREGATION_SHAPE` when it cannot combine the dtypes of the layout
 */
export type AggregatorFactory = (
  layout: TensorLayout,
  modules: AggregatorModules,
  definition?: AggregationDefinition,
) => Aggregator;

/** Aggregators by the name that a job gives; a value that the program builds. */
export type AggregatorRegistry = ReadonlyMap<string, AggregatorFactory>;
