/** A number with its noun: `1 kit`, `2 kits`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Names after a colon, the first ten of many; nothing for none. */
export function listed(names: readonly string[]): string {
  if (names.length === 0) return "";
  const more = names.length > 10 ? ` and ${names.length - 10} more` : "";
  return `: ${names.slice(0, 10).join(", ")}${more}`;
}
