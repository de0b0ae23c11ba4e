/**
 * Rights by their category, under NVIDIA FLARE's names where it has them; a category is itself a right. Each right has exactly one: those
 * that FLARE leaves without a category stand where people look for them.
 */
export const RIGHT_CATEGORIES: Readonly<Record<string, readonly string[]>> = {
  submit_job: ["submit_job"],
  clone_job: ["clone_job"],
  manage_job: ["abort", "abort_job", "delete_job", "delete_workspace", "configure_job_log"],
  download_job: ["download_job", "download_job_components"],
  view: [
    "check_status",
    "show_scopes",
    "show_stats",
    "show_errors",
    "reset_errors",
    "list_jobs",
    "list_job",
    "get_job_meta",
    "get_job_log",
    "report_version",
  ],
  operate: [
    "sys_info",
    "report_resources",
    "report_env",
    "restart",
    "shutdown",
    "remove_client",
    "disable_client",
    "enable_client",
    "set_timeout",
    "call",
    "configure_site_log",
    "app_command",
    "check_resources",
    "deploy_app",
  ],
  shell_commands: ["pwd", "ls", "cat", "head", "tail", "grep"],
  byoc: ["byoc"],
  // Of Photinus: FLARE provisions participants outside of the running system.
  admission: [
    "invite",
    "withdraw_invite",
    "approve_request",
    "deny_request",
    "suspend",
    "resume",
    "revoke_certificate",
  ],
};

const CATEGORY_OF: ReadonlyMap<string, string> = new Map(
  Object.entries(RIGHT_CATEGORIES).flatMap(([category, rights]) =>
    rights.map((right) => [right, category] as const),
  ),
);

/** The category of a right; `undefined` for a right that nobody knows, and for most categories themselves. */
export function categoryOf(right: string): string | undefined {
  return CATEGORY_OF.get(right);
}
