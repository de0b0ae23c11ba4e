import { join } from "node:path";
import { LOCAL_AUTHORIZATION, LOCAL_PRIVACY, LOCAL_RESOURCES } from "@photinus/core/provision";
import { isAbsent } from "../../located-file.ts";
import { AUTHORIZATION } from "../../policy/policy-file.ts";
import { PRIVACY } from "../../policy/privacy-file.ts";
import { RESOURCES } from "../../policy/resources-file.ts";
import type { SettingsKind } from "../../policy/settings-file.ts";
import { type Finding, failed, failedBy, ok } from "../finding.ts";
import type { Probe } from "../subject.ts";

/** Can the policies be used that an organization writes itself? */
export const authorizationPolicy: Probe = probeOf("authorization", LOCAL_AUTHORIZATION, AUTHORIZATION);

/** See {@link authorizationPolicy}; of sites. */
export const sitePolicies: readonly Probe[] = [
  authorizationPolicy,
  probeOf("privacy", LOCAL_PRIVACY, PRIVACY),
  probeOf("resources", LOCAL_RESOURCES, RESOURCES),
];

function probeOf<Settings>(name: string, file: string, kind: SettingsKind<Settings>): Probe {
  return { name, run: ({ folder }) => look(join(folder, file), kind) };
}

async function look<Settings>(
  path: string,
  { read, absent, facts, code, refusal }: SettingsKind<Settings>,
): Promise<Finding> {
  if (await isAbsent(path)) {
    if ("problem" in absent) return failed(code, `${refusal}: ${absent.problem(path)}`);
    return ok("no file: the default holds");
  }
  try {
    const told = Object.entries(facts(await read(path), "file")).map(([fact, value]) => `${fact} ${value}`);
    return ok(told.join(", "));
  } catch (error) {
    return failedBy(error, code);
  }
}
