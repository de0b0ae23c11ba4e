import { parsePolicy } from "./parse-policy.ts";
import type { Policy } from "./policy.ts";

/**
 * The policy that holds where there is no file: NVIDIA FLARE's default, and rules for what FLARE has not. Administrators of an
 * organization answer for its jobs, machines and participants, leads for their own jobs; members and adapters watch; a site
 * may invite its own next device.
 */
export const DEFAULT_POLICY_DOCUMENT = {
  format_version: "1.0",
  permissions: {
    project_admin: "any",
    org_admin: {
      submit_job: "none",
      clone_job: "none",
      manage_job: "o:submitter",
      download_job: "o:submitter",
      view: "any",
      operate: "o:site",
      shell_commands: "o:site",
      byoc: "none",
      admission: "o:submitter",
    },
    lead: {
      submit_job: "any",
      clone_job: "n:submitter",
      manage_job: "n:submitter",
      download_job: "n:submitter",
      view: "any",
      operate: "o:site",
      shell_commands: "o:site",
      byoc: "any",
    },
    member: { view: "any" },
    adapter: { view: "any" },
    site: { invite: "n:submitter" },
  },
} as const;

/** {@link DEFAULT_POLICY_DOCUMENT}, read. */
export function defaultPolicy(): Policy {
  return parsePolicy(DEFAULT_POLICY_DOCUMENT);
}
