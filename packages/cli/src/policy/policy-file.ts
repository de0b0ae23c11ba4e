import { defaultPolicy, type Policy, type PolicySource } from "@photinus/core/authorization";
import { readPolicy } from "./located-policy.ts";
import { SettingsFile, type SettingsFileModules, type SettingsKind } from "./settings-file.ts";

/** `authorization.json`: who may do what. */
export const AUTHORIZATION: SettingsKind<Policy> = {
  object: "authorization",
  title: "policy",
  refusal: "everything is refused until the policy is repaired",
  code: "ERR_POLICY_INVALID",
  read: async (path) => (await readPolicy(path)).policy,
  absent: { settings: defaultPolicy() },
  facts: ({ roles }, source) => ({ source, roles: roles.size }),
};

/**
 * The policy of a site or server, in a file that people edit while the program runs. A file that cannot be used refuses
 * everything until it is repaired, and so does one that was there and is gone; where there never was one, the default holds.
 */
export class PolicyFile extends SettingsFile<Policy> {
  constructor(path: string, modules: SettingsFileModules) {
    super(path, AUTHORIZATION, modules);
  }

  /** The policy of now. */
  get source(): PolicySource {
    return () => {
      const { settings, problem } = this.standing;
      return settings !== undefined && problem === undefined ? settings : { unusable: problem ?? "" };
    };
  }
}
