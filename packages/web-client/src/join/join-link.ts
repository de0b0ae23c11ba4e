/** Where the link is kept for a reload of the tab. */
const KEY = "photinus.join";
/** Longest fragment of a link. */
const MAX_LENGTH = 4096;

/**
 * The fragment of the join link. It carries the code of the invitation, so it leaves the address bar, where it would be
 * seen, copied and kept in the history, for the storage of this tab.
 *
 * @returns an empty string when this visit came without one
 */
export function takeLink(
  location: Pick<Location, "hash" | "pathname" | "search">,
  history: Pick<History, "replaceState">,
  storage: Pick<Storage, "getItem" | "setItem">,
): string {
  const given = location.hash.replace(/^#/, "");
  if (given === "") return storage.getItem(KEY) ?? "";
  history.replaceState(undefined, "", location.pathname + location.search);
  if (given.length > MAX_LENGTH) return "";
  storage.setItem(KEY, given);
  return given;
}
