import type { Mechanism } from "../accounting/index.ts";
import { FilterError } from "../errors/index.ts";
import type { ParameterSet } from "../tensor/index.ts";
import type { FilterDefinition } from "./definition.ts";
import type {
  Filter,
  FilterData,
  FilterModules,
  FilterNumbers,
  FilterPoint,
  FilterRegistry,
} from "./filter.ts";
import { eachBlock } from "./values.ts";

/** Whose filter it is: the site's or server's own, or the job's. */
export type FilterOrigin = "own" | "job";

/** One application of a filter. */
export interface AppliedFilter {
  /** Its name. */
  readonly name: string;
  /** Whose it is. */
  readonly origin: FilterOrigin;
  /** What it was applied to. */
  readonly kind: FilterData["kind"];
  /** What it did, in numbers. */
  readonly numbers: FilterNumbers;
}

/** What came out of a chain. */
export interface ChainOutcome {
  /** `undefined`: it stays here. */
  readonly data: FilterData | undefined;
  /** What was done, in order. */
  readonly applied: readonly AppliedFilter[];
}

/** What a chain is made of. */
export interface FilterChainOptions {
  /** Where it stands. */
  readonly point: FilterPoint;
  /** The filters of the site or server. They run first. */
  readonly own: readonly FilterDefinition[];
  /** The filters of the job. */
  readonly job: readonly FilterDefinition[];
}

interface Link {
  readonly origin: FilterOrigin;
  readonly filter: Filter;
  readonly isFor: (kind: FilterData["kind"]) => "changes" | "passes" | "refuses";
}

/** The filters of one job at one point: the own ones, then the job's, each list in its order. FLARE: filter chain. */
export class FilterChain {
  /** Where it stands. */
  readonly point: FilterPoint;
  readonly #links: readonly Link[];
  readonly #modules: FilterModules;

  /** @throws FilterError `ERR_FILTER_REFUSED` for a filter that the registry does not know, or its arguments */
  constructor(
    { point, own, job }: FilterChainOptions,
    modules: FilterModules & { readonly registry: FilterRegistry },
  ) {
    this.point = point;
    this.#modules = modules;
    this.#links = [
      ...own.map((definition) => linkOf(definition, "own", modules)),
      ...job.map((definition) => linkOf(definition, "job", modules)),
    ];
  }

  /** What each release through this chain costs. */
  get mechanisms(): readonly Mechanism[] {
    return this.#links.flatMap(({ filter }) => filter.mechanisms);
  }

  /** True when nothing is done here. */
  get isEmpty(): boolean {
    return this.#links.length === 0;
  }

  /**
   * Sends data through all filters. Nothing of it may go on unless this resolves with it.
   * @throws FilterError `ERR_FILTER_REFUSED`: a filter met data that it does not fit
   */
  async apply(data: FilterData): Promise<ChainOutcome> {
    const applied: AppliedFilter[] = [];
    let present: FilterData | undefined = data;
    if (this.isEmpty) return { data, applied };
    await this.#requireNumbers(data);
    for (const { origin, filter, isFor } of this.#links) {
      if (present === undefined) break;
      const { kind }: FilterData = present;
      switch (isFor(kind)) {
        case "passes":
          continue;
        case "refuses":
          throw new FilterError("ERR_FILTER_REFUSED", `filter ${filter.name} does not fit a ${kind}`);
        case "changes": {
          const outcome = await filter.apply(present);
          if (outcome.data !== undefined) requireSameForm(present, outcome.data, filter.name);
          present = outcome.data;
          applied.push({ name: filter.name, origin, kind, numbers: outcome.numbers });
        }
      }
    }
    return { data: present, applied };
  }

  /** Filters compute with finite float32; anything else would make their numbers untrue. */
  async #requireNumbers(data: FilterData): Promise<void> {
    if (data.kind === "metrics") return;
    const odd = data.parameters.entries().find(([, { dtype }]) => dtype !== "f32");
    if (odd !== undefined) throw refusedTensor(odd[0], `is ${odd[1].dtype}, not f32`);
    await eachBlock(data.parameters, this.#modules.clock, ({ name, values }) => {
      if (!values.every(Number.isFinite)) throw refusedTensor(name, "is not finite");
    });
  }
}

function linkOf(
  { name, args }: FilterDefinition,
  origin: FilterOrigin,
  modules: FilterModules & { readonly registry: FilterRegistry },
): Link {
  const kind = modules.registry.get(name);
  if (kind === undefined) throw new FilterError("ERR_FILTER_REFUSED", `no filter is called ${name}`);
  const { understands, passes } = kind;
  return {
    origin,
    filter: createFilter(() => kind.create(args, modules), name),
    isFor: (data) => {
      if (understands.includes(data)) return "changes";
      return passes.includes(data) ? "passes" : "refuses";
    },
  };
}

function createFilter(create: () => Filter, name: string): Filter {
  try {
    return create();
  } catch (cause) {
    throw new FilterError("ERR_FILTER_REFUSED", `the arguments of filter ${name} are not valid`, { cause });
  }
}

/** A filter changes numbers: what it makes of names and shapes would be refused by the server, or mistaken. */
function requireSameForm(before: FilterData, after: FilterData, filter: string): void {
  const isSame =
    before.kind === "metrics" || after.kind === "metrics"
      ? before.kind === after.kind
      : before.kind === after.kind && formOf(before.parameters) === formOf(after.parameters);
  if (!isSame) throw new FilterError("ERR_FILTER_REFUSED", `filter ${filter} changed more than numbers`);
}

function formOf(parameters: ParameterSet): string {
  return JSON.stringify(parameters.entries().map(([name, { dtype, shape }]) => [name, dtype, shape]));
}

function refusedTensor(name: string, what: string): FilterError {
  return new FilterError("ERR_FILTER_REFUSED", `parameter ${name} ${what}: no filter can be applied`);
}
