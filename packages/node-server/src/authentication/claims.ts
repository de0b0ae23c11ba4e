import type { ClaimRule } from "./settings.ts";

/** What a verified token says. */
export type Claims = Readonly<Record<string, unknown>>;

/** True when each claim that the rule names is, or contains, one of the values. A claim of another kind fits nothing. */
export function fits(claims: Claims, rule: ClaimRule): boolean {
  return Object.entries(rule).every(([name, allowed]) =>
    valuesOf(claims, name).some((value) => allowed.includes(value)),
  );
}

/** The values of a claim, which is a text or a list of texts; `a.b` names a claim inside another, as `realm_access.roles`. */
export function valuesOf(claims: Claims, name: string): readonly string[] {
  const value = Object.hasOwn(claims, name) ? claims[name] : inside(claims, name.split("."));
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
}

function inside(value: unknown, [first, ...rest]: readonly string[]): unknown {
  if (first === undefined) return value;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, first)) return undefined;
  return inside(Reflect.get(value, first), rest);
}
