import { type Bytes, toBase64Url, utf8 } from "../bytes/index.ts";
import type { AuditEvent, AuditRecord, CryptoProvider } from "../platform/index.ts";

// What tells who somebody is does not stand in the chain: a commitment to it does, HMAC(salt, field ‖ 0 ‖ value). Value and salt
// lie beside the chain and can be erased; then nothing tells what the commitment was made of, and the chain still verifies.

/** A personal value of one record, as it is kept beside the chain. */
export interface PersonalValue {
  /** "actor", "object", or "details." and the name of a detail. */
  readonly field: string;
  /** Key of the commitment, 16 random bytes of this value alone: what is known of another one tells nothing. */
  readonly salt: Bytes;
  /** What the commitment stands for. */
  readonly value: string;
}

/** Bytes of a salt. */
export const PERSONAL_SALT_BYTES = 16;
const REFERENCE = "ref:";

/** Actions whose object names a job, a number, a file: never somebody. Of all others it may. */
const IMPERSONAL_OBJECTS: ReadonlySet<string> = new Set([
  ...["job", "task", "round", "filter", "budget", "consent", "policy", "kit", "revocation"],
  ...["checkpoint", "withdraw", "audit-loss", "erasure"],
]);
/** Details that name somebody, or where they came from. */
const PERSONAL_DETAILS: ReadonlySet<string> = new Set([
  ...["by", "requested", "subject", "name", "network", "address", "email", "user", "submitter"],
]);
/** Actions all of whose texts come from somebody else's hand, such as an identity provider's claims. */
const PERSONAL_ACTIONS: ReadonlySet<string> = new Set(["authenticate", "request"]);

/** The same event with commitments in place of what is personal, and what they stand for. */
export async function pseudonymize(
  event: AuditEvent,
  crypto: CryptoProvider,
): Promise<{ readonly event: AuditEvent; readonly personal: readonly PersonalValue[] }> {
  const personal = personalFieldsOf(event).map(([field, value]) => ({
    field,
    value,
    salt: crypto.randomBytes(PERSONAL_SALT_BYTES),
  }));
  return { event: await referring(event, personal, crypto), personal };
}

/** An event as its chain has it: what `personal` names is replaced by its commitment. */
async function referring(
  event: AuditEvent,
  personal: readonly PersonalValue[],
  crypto: CryptoProvider,
): Promise<AuditEvent> {
  let referred = event;
  for (const { field, salt, value } of personal) {
    const commitment = await crypto.hmacSha256(salt, utf8(`${field}\0${value}`));
    referred = withField(referred, field, `${REFERENCE}${toBase64Url(commitment)}`);
  }
  return referred;
}

/** The event that the chain holds for a record that was read with names. Salts that fit no name give another event. */
export async function chainedEvent(
  { event, salts }: Pick<AuditRecord, "event" | "salts">,
  crypto: CryptoProvider,
): Promise<AuditEvent> {
  if (salts === undefined) return event;
  const personal = Object.entries(salts).map(([field, salt]) => ({
    field,
    salt,
    value: textOf(event, field),
  }));
  return await referring(event, personal, crypto);
}

/** A record as its chain has it, with the names that are kept beside it. */
export function withPersonal(record: AuditRecord, personal: readonly PersonalValue[]): AuditRecord {
  if (personal.length === 0) return record;
  const event = personal.reduce((named, { field, value }) => withField(named, field, value), record.event);
  return { ...record, event, salts: Object.fromEntries(personal.map(({ field, salt }) => [field, salt])) };
}

/** A record without names, as its chain has it: for whoever is to verify and not to know. */
export async function withoutPersonal(record: AuditRecord, crypto: CryptoProvider): Promise<AuditRecord> {
  const { salts: _, ...rest } = record;
  return { ...rest, event: await chainedEvent(record, crypto) };
}

/** True when `value` names `name`: alone, or as one of its words. */
export function isAbout(value: string, name: string): boolean {
  return value === name || value.split(" ").includes(name);
}

function personalFieldsOf(event: AuditEvent): readonly (readonly [field: string, value: string])[] {
  const details = Object.entries(event.details)
    .filter(([name]) => PERSONAL_ACTIONS.has(event.action) || PERSONAL_DETAILS.has(name))
    .map(([name, value]) => [`details.${name}`, typeof value === "string" ? value : ""] as const);
  const fields = [
    ["actor", textOf(event, "actor")] as const,
    ["object", isObjectPersonal(event) ? event.object : ""] as const,
    ...details,
  ];
  return fields.filter(([, value]) => value !== "");
}

/** A log-in's object is a role, or the address of who was refused. */
function isObjectPersonal({ action, outcome }: AuditEvent): boolean {
  return !(IMPERSONAL_OBJECTS.has(action) || (action === "login" && outcome === "accepted"));
}

/** Actors are the digest of a certificate and a name; "system" alone is nobody. */
function textOf(event: AuditEvent, field: string): string {
  if (field === "actor") return event.actor.slice(event.actor.indexOf(" ") + 1 || event.actor.length);
  if (field === "object") return event.object;
  const value = event.details[field.slice("details.".length)];
  return typeof value === "string" ? value : "";
}

function withField(event: AuditEvent, field: string, value: string): AuditEvent {
  if (field === "actor")
    return { ...event, actor: `${event.actor.slice(0, event.actor.indexOf(" ") + 1)}${value}` };
  if (field === "object") return { ...event, object: value };
  return { ...event, details: { ...event.details, [field.slice("details.".length)]: value } };
}
