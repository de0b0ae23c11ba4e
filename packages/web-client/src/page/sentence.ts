/** A message of an error as a sentence: errors begin small and end without a stop. */
export function asSentence(message: string): string {
  const [first = ""] = message;
  const end = /[.!?]$/.test(message) ? "" : ".";
  return first.toUpperCase() + message.slice(first.length) + end;
}
