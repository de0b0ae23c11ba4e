import type { PrivacyPolicy, PrivacySource } from "@photinus/core/filter";
import { readLocatedJson } from "../located-file.ts";
import { privacyPolicyOf } from "./located-privacy.ts";
import { SettingsFile, type SettingsFileModules, type SettingsKind } from "./settings-file.ts";

/** `privacy.json`: what may leave a site. */
export const PRIVACY: SettingsKind<PrivacyPolicy> = {
  object: "privacy",
  title: "privacy policy",
  refusal: "no job is taken until the privacy policy is repaired",
  code: "ERR_PRIVACY_POLICY_INVALID",
  read: async (path) => privacyPolicyOf(await readLocatedJson(path)),
  absent: {
    problem: (path) => `there is no ${path}: begin with \`photinus policy default privacy > ${path}\``,
  },
  facts: ({ scopes }) => ({ scopes: scopes.size }),
};

/**
 * The privacy policy of a site, in a file that people edit while the program runs. Without a valid file no job is taken. One that
 * was valid and is broken or gone refuses new jobs until it is repaired; jobs that run go on under the last valid one.
 */
export class PrivacyFile extends SettingsFile<PrivacyPolicy> {
  constructor(path: string, modules: SettingsFileModules) {
    super(path, PRIVACY, modules);
  }

  /** The policy of now. */
  get source(): PrivacySource {
    return () => {
      const { settings: policy, problem } = this.standing;
      return { ...(policy && { policy }), ...(problem !== undefined && { problem }) };
    };
  }
}
