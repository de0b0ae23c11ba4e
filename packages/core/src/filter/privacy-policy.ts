import * as v from "valibot";
import type { PrivacyBudget } from "../accounting/index.ts";
import { FilterError } from "../errors/index.ts";
import { type FilterDefinition, filterListSchema } from "./definition.ts";
import { between, positive } from "./fields.ts";
import type { FilterRegistry } from "./filter.ts";

/** A set of filters and properties under which jobs run at a site. FLARE: scope. */
export interface PrivacyScope {
  /** What jobs call it; upper and lower case differ. */
  readonly name: string;
  /** What the site's own programs want to know about it. */
  readonly properties: Readonly<Record<string, string | number | boolean>>;
  /** What a model goes through before it is trained. */
  readonly dataFilters: readonly FilterDefinition[];
  /** What a result goes through before it leaves. */
  readonly resultFilters: readonly FilterDefinition[];
  /** What all jobs in it together may spend; absent: it is not limited. */
  readonly budget?: PrivacyBudget;
}

/** `privacy.json`, read. */
export interface PrivacyPolicy {
  /** By name, at least one. */
  readonly scopes: ReadonlyMap<string, PrivacyScope>;
  /** Where jobs run that name none; absent: they are refused. */
  readonly defaultScope?: string;
}

/** The privacy policy of now: its file may change while the program runs. */
export interface PrivacyState {
  /** What was valid last: jobs that run go on under it. Absent: there never was one, and nothing may leave. */
  readonly policy?: PrivacyPolicy;
  /** What is wrong with the file now, for the people of this host: no job is taken until it is repaired. */
  readonly problem?: string;
}

/** Yields the policy of now. */
export type PrivacySource = () => PrivacyState;

/** Most scopes. */
export const MAX_SCOPES = 100;
/** Most properties of a scope. */
export const MAX_SCOPE_PROPERTIES = 64;

/** `privacy.json` of a site as it is written. Names are FLARE's; `budget` is our own. */
export interface PrivacyDocument {
  /** At least one. */
  readonly scopes: readonly PrivacyScopeDocument[];
  /** Where jobs run that name none. Default: nowhere. */
  readonly default_scope?: string;
}

/** A scope as it is written. */
export interface PrivacyScopeDocument {
  /** What jobs call it. */
  readonly name: string;
  /** Default: none. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** Default: none. */
  readonly task_data_filters?: readonly FilterDefinition[];
  /** Default: none. */
  readonly task_result_filters?: readonly FilterDefinition[];
  /** Default: what is spent is not limited. */
  readonly budget?: PrivacyBudget;
}

/** What a kit ships: one scope, in which updates leave as they are. */
export const DEFAULT_PRIVACY_DOCUMENT: PrivacyDocument = {
  scopes: [{ name: "public" }],
  default_scope: "public",
};

/** A name of a scope, in a policy and in a job. */
export const scopeName: v.GenericSchema<unknown, string> = v.pipe(
  v.string("text"),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "letters, digits, dots, hyphens, underscores, at most 63"),
);

/** The policy that kits ship, for programs that have no file: one scope, in which updates leave as they are. */
export function publicPrivacy(): PrivacySource {
  const scope = { name: "public", properties: {}, dataFilters: [], resultFilters: [] };
  const policy = { scopes: new Map([[scope.name, scope]]), defaultScope: scope.name };
  return () => ({ policy });
}

const property = v.union([v.pipe(v.string(), v.maxLength(512)), v.pipe(v.number(), v.finite()), v.boolean()]);

/** What `privacy.json` of a site may be, with the filters of a registry. */
export function privacyDocumentSchema(registry: FilterRegistry): v.GenericSchema<unknown, PrivacyDocument> {
  const scope = v.strictObject({
    name: scopeName,
    properties: v.exactOptional(
      v.pipe(
        v.record(v.pipe(v.string(), v.minLength(1), v.maxLength(64)), property),
        v.maxEntries(MAX_SCOPE_PROPERTIES, `at most ${MAX_SCOPE_PROPERTIES} properties`),
      ),
    ),
    task_data_filters: v.exactOptional(filterListSchema("site-data", registry, { hasDirection: true })),
    task_result_filters: v.exactOptional(filterListSchema("site-result", registry, { hasDirection: true })),
    budget: v.exactOptional(
      v.strictObject({
        epsilon: positive(10_000),
        delta: v.pipe(between(0, 0.1), v.gtValue(0, "greater than 0")),
      }),
    ),
  });
  return v.strictObject({
    scopes: v.pipe(
      v.array(scope, "a list of scopes"),
      v.minLength(1, "at least one scope"),
      v.maxLength(MAX_SCOPES, `at most ${MAX_SCOPES} scopes`),
    ),
    default_scope: v.exactOptional(scopeName),
  });
}

/** What {@link parsePrivacyPolicy} reads with. */
export interface ParsePrivacyOptions {
  /** Filters that the site has. */
  readonly registry: FilterRegistry;
  /** Says where in the file a value stands, for people. Default: it does not. */
  readonly locate?: (path: readonly (string | number)[]) => string;
}

/**
 * Reads `privacy.json` of a site.
 * @throws FilterError `ERR_PRIVACY_POLICY_INVALID` with the place of the first fault
 */
export function parsePrivacyPolicy(
  value: unknown,
  { registry, locate = () => "" }: ParsePrivacyOptions,
): PrivacyPolicy {
  const result = v.safeParse(privacyDocumentSchema(registry), value);
  if (!result.success) {
    const [issue] = result.issues;
    const path = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
    throw fault(path, issue.message, locate);
  }
  const { scopes: list, default_scope: defaultScope } = result.output;
  const scopes = new Map<string, PrivacyScope>();
  for (const [index, { name, properties = {}, budget, ...filters }] of list.entries()) {
    if (scopes.has(name)) throw fault(["scopes", index, "name"], "this scope stands here twice", locate);
    const { task_data_filters: dataFilters = [], task_result_filters: resultFilters = [] } = filters;
    const scope = {
      name,
      properties,
      dataFilters,
      resultFilters,
      ...(budget === undefined ? {} : { budget }),
    };
    const problem = budgetProblem(scope);
    if (problem !== undefined) throw fault(["scopes", index, "budget"], problem, locate);
    scopes.set(name, scope);
  }
  if (defaultScope === undefined) return { scopes };
  if (!scopes.has(defaultScope)) throw fault(["default_scope"], "there is no scope of this name", locate);
  return { scopes, defaultScope };
}

/** What was measured on the very data would tell beside the update what no accountant counts. */
function budgetProblem({ budget, resultFilters }: PrivacyScope): string | undefined {
  if (budget === undefined) return undefined;
  const isBlocked = resultFilters.some(
    ({ name, args }) => name === "block-kinds" && JSON.stringify(args).includes('"metrics"'),
  );
  if (isBlocked) return undefined;
  return "a budget is for updates: add block-kinds of metrics to task_result_filters, or losses leave beside them";
}

function fault(
  path: readonly (string | number)[],
  words: string,
  locate: NonNullable<ParsePrivacyOptions["locate"]>,
): FilterError {
  const parts = [locate(path), path.length === 0 ? "" : `${path.join(".")}:`, words];
  return new FilterError("ERR_PRIVACY_POLICY_INVALID", parts.filter((part) => part !== "").join(" "));
}
