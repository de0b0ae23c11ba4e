/**
 * A frozen copy of facts: one handler neither reaches what the host works with nor changes what another one sees.
 * @throws TypeError for anything but texts, numbers, booleans, plain objects and lists of them: a key or a tensor among facts is a
 *   defect of ours, and must not get through
 */
export function frozenFacts<Facts extends object>(facts: Facts): Facts {
  requirePlain(facts);
  return frozen(structuredClone(facts));
}

function requirePlain(value: unknown): void {
  if (["string", "number", "boolean", "undefined"].includes(typeof value) || value === null) return;
  if (typeof value !== "object") throw new TypeError(`a fact is a ${typeof value}`);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (![Object.prototype, Array.prototype, null].includes(prototype as object | null)) {
    throw new TypeError("a fact is no plain object");
  }
  for (const part of Object.values(value)) requirePlain(part);
}

function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) frozen(part);
  return Object.freeze(value);
}
