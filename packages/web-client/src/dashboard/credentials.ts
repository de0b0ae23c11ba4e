/** What opens a dashboard. */
export interface Credentials {
  /** Read-only token. */
  readonly token: string;
  /** Job to show; empty for the newest. */
  readonly job: string;
}

/** Where credentials are kept for the tab: `sessionStorage`, or a map in a test. */
export type CredentialStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const KEY = "photinus.dashboard";
const TOKEN = /^[A-Za-z0-9_-]{1,128}$/;
const JOB = /^[A-Za-z0-9._-]{0,128}$/;

/** Credentials of a fragment such as `#token=…&job=…`; `undefined` when it holds none that could be valid. */
export function parseFragment(fragment: string): Credentials | undefined {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const token = fields.get("token") ?? "";
  const job = fields.get("job") ?? "";
  return TOKEN.test(token) && JOB.test(job) ? { token, job } : undefined;
}

/**
 * The credentials of this tab. Those of a link are moved out of the address bar, where they would be seen, copied and
 * kept in the history, into the storage of the tab.
 */
export function takeCredentials(
  location: Pick<Location, "hash" | "pathname" | "search">,
  history: Pick<History, "replaceState">,
  storage: CredentialStorage,
): Credentials | undefined {
  const given = parseFragment(location.hash);
  if (location.hash !== "") history.replaceState(undefined, "", location.pathname + location.search);
  if (given !== undefined) {
    keepCredentials(given, storage);
    return given;
  }
  return parseFragment(storage.getItem(KEY) ?? "");
}

/** Keeps credentials for a reload of this tab. */
export function keepCredentials({ token, job }: Credentials, storage: CredentialStorage): void {
  storage.setItem(KEY, new URLSearchParams({ token, job }).toString());
}

/** Forgets them. */
export function dropCredentials(storage: CredentialStorage): void {
  storage.removeItem(KEY);
}
