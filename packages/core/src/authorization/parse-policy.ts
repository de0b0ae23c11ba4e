import { AuthorizationError } from "../errors/index.ts";
import { type Condition, fold, parseCondition } from "./condition.ts";
import type { Control, Policy, PolicyDecision, PolicyPath, Verdict } from "./policy.ts";

/** Version of the format, which is NVIDIA FLARE's. */
export const POLICY_VERSION = "1.0";

/** Most roles of a policy, and most rights and categories of a role. */
export const MAX_POLICY_ENTRIES = 1_000;
/** Most conditions of one rule. */
export const MAX_POLICY_CONDITIONS = 100;
/** Longest name or condition of a policy, in characters: a rule and its condition fit into an audit record. */
export const MAX_POLICY_TEXT = 160;
/** Conditions that a refusal names: it has to fit into a message. */
const MAX_NAMED = 3;

/** Says where in the file a value stands, for people; a file that is no document of people has no places. */
export type LocatePolicy = (path: PolicyPath) => string;

/**
 * Reads `authorization.json` in the format of NVIDIA FLARE, version 1.0. Rights and roles that nobody knows are accepted;
 * one that stands there twice, in whatever letters, is refused.
 *
 * By hand and not by a schema: names of roles and rights are anything, `__proto__` too, and each fault has its own place.
 *
 * @param locate default: the path alone
 * @throws AuthorizationError `ERR_POLICY_INVALID` with the place of the first fault
 */
export function parsePolicy(value: unknown, locate: LocatePolicy = () => ""): Policy {
  const fields = new Map(entriesOf(value, [], locate));
  for (const key of fields.keys()) {
    if (key !== "format_version" && key !== "permissions") {
      throw fault([key], "unknown key: expected format_version and permissions", locate);
    }
  }
  if (fields.get("format_version") !== POLICY_VERSION) {
    throw fault(["format_version"], `expected "${POLICY_VERSION}"`, locate);
  }
  const path = ["permissions"];
  const permissions = entriesOf(fields.get("permissions"), path, locate);
  if (permissions.length === 0) throw fault(path, "expected at least one role", locate);
  return {
    roles: foldedMap(permissions, { path, locate, what: "role" }, (entry, place) =>
      isControl(entry) ? controlOf(entry, { ...place, rule: place.name }) : rightsOf(entry, place),
    ),
  };
}

/** A named entry that is being read. */
interface Place {
  readonly name: string;
  readonly path: PolicyPath;
  readonly locate: LocatePolicy;
}

function rightsOf(value: unknown, { name: role, path, locate }: Place): ReadonlyMap<string, Control> {
  const entries = entriesOf(value, path, locate);
  return foldedMap(entries, { path, locate, what: "right" }, (control, place) =>
    controlOf(control, { ...place, rule: `${role}.${place.name}` }),
  );
}

/** Names as they are compared; of two that are then the same nobody can tell which one counts. */
function foldedMap<T>(
  entries: readonly (readonly [string, unknown])[],
  { path, locate, what }: Omit<Place, "name"> & { readonly what: string },
  read: (value: unknown, place: Place) => T,
): ReadonlyMap<string, T> {
  const found = new Map<string, T>();
  for (const [name, value] of entries) {
    const folded = foldedText(name, path, locate);
    const place = { name: folded, path: [...path, name], locate };
    if (found.has(folded)) throw fault(place.path, `this ${what} stands here twice`, locate);
    found.set(folded, read(value, place));
  }
  return found;
}

function controlOf(value: unknown, { path, locate, rule }: Place & { readonly rule: string }): Control {
  const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (texts.length === 0) throw fault(path, "expected at least one condition", locate);
  if (texts.length > MAX_POLICY_CONDITIONS) {
    throw fault(path, `more than ${MAX_POLICY_CONDITIONS} conditions`, locate);
  }
  const read = texts.map((text, index) => {
    const at = Array.isArray(value) ? [...path, index] : path;
    const condition = conditionOf(text, at, locate);
    return { condition, decision: decisionOf(condition, rule, at) };
  });
  const blocking = read.filter(({ condition }) => condition.blocks);
  const allowing = read.filter(({ condition }) => !condition.blocks);
  const why =
    allowing.length === 0 ? `${rule} refuses others only` : `${rule} allows only: ${named(allowing)}`;
  return { blocking, allowing, otherwise: { allowed: allowing.length === 0, rule, path, why } };
}

function conditionOf(text: unknown, path: PolicyPath, locate: LocatePolicy): Condition {
  if (typeof text !== "string") throw fault(path, "expected a condition as text", locate);
  const condition = parseCondition(foldedText(text, path, locate));
  if (typeof condition === "string") throw fault(path, condition, locate);
  return condition;
}

/** Rules get into logs, messages and terminals: nothing in them may be taken for a command. */
function foldedText(text: string, path: PolicyPath, locate: LocatePolicy): string {
  const folded = fold(text);
  if (folded.length > MAX_POLICY_TEXT) throw fault(path, `longer than ${MAX_POLICY_TEXT} characters`, locate);
  if (/\p{C}/u.test(folded)) throw fault(path, "a control character", locate);
  return folded;
}

function named(verdicts: readonly Verdict[]): string {
  const texts = verdicts.slice(0, MAX_NAMED).map(({ condition }) => condition.text);
  const more = verdicts.length - texts.length;
  return more > 0 ? `${texts.join(", ")} and ${more} more` : texts.join(", ");
}

function decisionOf({ text, blocks }: Condition, rule: string, path: PolicyPath): PolicyDecision {
  const why = `${rule} ${blocks ? "refuses" : "allows"}: ${text}`;
  return { allowed: !blocks, rule, condition: text, path, why };
}

function isControl(value: unknown): boolean {
  return typeof value === "string" || Array.isArray(value);
}

function entriesOf(
  value: unknown,
  path: PolicyPath,
  locate: LocatePolicy,
): readonly (readonly [string, unknown])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw fault(path, "expected an object", locate);
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_POLICY_ENTRIES)
    throw fault(path, `more than ${MAX_POLICY_ENTRIES} entries`, locate);
  return entries;
}

function fault(path: PolicyPath, words: string, locate: LocatePolicy): AuthorizationError {
  const parts = [locate(path), path.length === 0 ? "" : `${path.join(".")}:`, words];
  return new AuthorizationError("ERR_POLICY_INVALID", parts.filter((part) => part !== "").join(" "));
}
