import type { PrivacyScope } from "@photinus/core/filter";
import type { ResourceSettings } from "@photinus/core/site";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";
import { readLocatedJson } from "../located-file.ts";
import { adviceOnPolicy, locatedPolicy } from "../policy/located-policy.ts";
import { privacyPolicyOf } from "../policy/located-privacy.ts";
import { readResources } from "../policy/resources-file.ts";
import type { Terminal } from "../terminal.ts";

/**
 * Reads a policy as a site or server would, and says what it is.
 * @throws AuthorizationError `ERR_POLICY_INVALID`, FilterError `ERR_PRIVACY_POLICY_INVALID`, HostError `ERR_CONFIG_INVALID`,
 *   with file, line and column
 */
export async function checkPolicy(file: string, { terminal }: CommandContext): Promise<void> {
  const located = await readLocatedJson(file);
  if (isAuthorization(located.value)) {
    const policy = locatedPolicy(located.value, located.locate);
    for (const advice of adviceOnPolicy(policy)) terminal.note(advice);
    terminal.line(`valid authorization policy of ${policy.policy.roles.size} roles`);
    terminal.result({ kind: "authorization", roles: [...policy.policy.roles.keys()] });
    return;
  }
  if (isResources(located.value)) {
    printResources(await readResources(file), terminal);
    return;
  }
  const { scopes, defaultScope } = privacyPolicyOf(located);
  const list = [...scopes.values()];
  terminal.line(`valid privacy policy of ${list.length} ${list.length === 1 ? "scope" : "scopes"}`);
  for (const scope of list) terminal.line(describe(scope, scope.name === defaultScope));
  if (defaultScope === undefined) terminal.note("there is no default scope: jobs that name none are refused");
  terminal.result({ kind: "privacy", scopes: list, defaultScope: defaultScope ?? null });
}

function isAuthorization(value: unknown): boolean {
  return typeof value === "object" && value !== null && "permissions" in value;
}

/** What only `resources.json` has. */
function isResources(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  return ["gpus", "units", "limits", "reservationSeconds"].some((field) => Object.hasOwn(value, field));
}

function printResources(settings: ResourceSettings, terminal: Terminal): void {
  const { gpus = [], units = {}, limits = {} } = settings;
  terminal.line("valid list of resources");
  const memory = gpus.map(({ memoryGiB }) => `${memoryGiB} GiB`);
  terminal.line(`${counted(gpus.length, "GPU")}${gpus.length === 0 ? "" : ` of ${memory.join(", ")}`}`);
  for (const [name, list] of Object.entries(units)) terminal.line(`${name}  ${counted(list.length, "unit")}`);
  for (const [name, limit] of Object.entries(limits)) terminal.line(`at most ${limit} ${name}`);
  terminal.result({ kind: "resources", ...settings });
}

function describe({ name, dataFilters, resultFilters, budget }: PrivacyScope, isDefault: boolean): string {
  const names = (filters: PrivacyScope["dataFilters"]): string =>
    filters.length === 0 ? "as it is" : filters.map((filter) => filter.name).join(", ");
  const limit = budget === undefined ? "no budget" : `epsilon ${budget.epsilon} at delta ${budget.delta}`;
  return `${name}${isDefault ? " (default)" : ""}  in: ${names(dataFilters)}  out: ${names(resultFilters)}  ${limit}`;
}
