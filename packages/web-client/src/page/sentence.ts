/** A message of an error as a sentence: errors begin small and end without a stop. Names and addresses stay as they are. */
export function asSentence(message: string): string {
  const [first = ""] = /^[a-z]+(?= )/.exec(message) ?? [];
  const end = /[.!?]$/.test(message) ? "" : ".";
  return first.slice(0, 1).toUpperCase() + message.slice(Math.min(1, first.length)) + end;
}
