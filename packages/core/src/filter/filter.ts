import type * as v from "valibot";
import type { Mechanism } from "../accounting/index.ts";
import type { Clock, Random } from "../platform/index.ts";
import type { ParameterSet } from "../tensor/index.ts";

/**
 * Where a chain of filters stands, and so which way data goes through it: the model out of the server and into the site,
 * the result out of the site and into the server.
 */
export type FilterPoint = "server-data" | "site-data" | "site-result" | "server-result";

/** Which way, as FLARE names it. */
export type FilterDirection = "in" | "out";

/** The way that data goes at a point. */
export function directionOf(point: FilterPoint): FilterDirection {
  return point === "site-data" || point === "server-result" ? "in" : "out";
}

/** Kinds of what filters see: a version of the model, a change of it, what was measured. */
export const DATA_KINDS = ["model", "update", "metrics"] as const;

/** A kind of what filters see. */
export type DataKind = (typeof DATA_KINDS)[number];

/** What passes a filter point. */
export type FilterData =
  | {
      /** Tensors: the trainable ones of a model, or the change of them. */
      readonly kind: "model" | "update";
      /** Finite float32 numbers. Not to be changed. */
      readonly parameters: ParameterSet;
    }
  | {
      /** Losses and evaluations. */
      readonly kind: "metrics";
    };

/** What a filter did, in numbers: for the audit and for people. At most 8, all finite. */
export type FilterNumbers = Readonly<Record<string, number>>;

/** What becomes of data. */
export interface FilterOutcome {
  /** What goes on; `undefined`: it stays here. */
  readonly data: FilterData | undefined;
  /** What was done. */
  readonly numbers: FilterNumbers;
}

/** What filters work with. */
export interface FilterModules {
  /** Long loops give others a turn. */
  readonly clock: Pick<Clock, "yield">;
  /** Where noise comes from: a source that nobody else knows or can repeat, never the seed of a job. */
  readonly random: Random;
}

/** One filter of one job. It may remember what it has seen of that job. */
export interface Filter {
  /** Its name in the registry. */
  readonly name: string;
  /** What each release through it costs. */
  readonly mechanisms: readonly Mechanism[];
  /** Changes data, or refuses. @throws FilterError `ERR_FILTER_REFUSED` */
  apply(data: FilterData): Promise<FilterOutcome>;
}

/** A kind of filter, as the registry knows it. */
export interface FilterKind {
  /** Lower-case letters and hyphens. */
  readonly name: string;
  /** What it changes. */
  readonly understands: readonly DataKind[];
  /** What it lets by without a change. All that is neither understood nor passed is refused. */
  readonly passes: readonly DataKind[];
  /** Its arguments. */
  readonly schema: v.GenericSchema<unknown, object>;
  /** A filter for one job. @throws ValiError for arguments that {@link schema} refuses */
  create(args: unknown, modules: FilterModules): Filter;
}

/** Kinds of filters by name: a value that the program builds. A name that is not in it is refused. */
export type FilterRegistry = ReadonlyMap<string, FilterKind>;
