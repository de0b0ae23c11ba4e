import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { isRole, type Role } from "../pki/index.ts";
import { defineMessage } from "./define.ts";
import type { MessageDefinition } from "./definition.ts";
import { bytesOf, integerIn, plainName, textOf } from "./fields.ts";
import { cursor, type Listed, listOf } from "./listed.ts";

/** Roles that administer; what each may do is decided for each command. */
export const ADMINISTRATOR_ROLES: readonly Role[] = ["project_admin", "org_admin"];

const timeMs = integerIn(0, Number.MAX_SAFE_INTEGER);
const count = integerIn(0, 1_000_000);
const reason: v.GenericSchema<unknown, string> = textOf(0, 200);
/** Names of people and machines: e-mail addresses are the longest. */
const anyName: v.GenericSchema<unknown, string> = textOf(1, 128);

/** What administrators may list. */
export type AdministrationKind = "invites" | "requests" | "certificates";

/** Body of {@link administrationQuery}. */
export interface AdministrationQuery {
  /** What to list; who administers one organization is shown what belongs to it. */
  readonly kind: AdministrationKind;
  /** Cursor of the list before; absent for the first. */
  readonly after?: string;
  /** Of certificates, those of the sites of this study, which the asker is in; absent: all. */
  readonly study?: string;
}

/** An administrator asks what there is. Answered by the list of that kind. */
export const administrationQuery: MessageDefinition<AdministrationQuery> = defineMessage(
  { type: 60, name: "administration-query", signed: true, from: ADMINISTRATOR_ROLES },
  v.strictObject({
    kind: v.picklist(["invites", "requests", "certificates"]),
    after: v.exactOptional(cursor),
    study: v.exactOptional(plainName),
  }),
);

/** An invite as administrators see it: its code is nowhere. */
export interface ListedInvite {
  /** SHA-256 of the code: names the invite. */
  readonly codeDigest: Bytes;
  /** Organization of who joins. */
  readonly org: string;
  /** Beginning of the names, or the one name. */
  readonly names: string;
  /** True when it is for one participant, whose name is {@link names}. */
  readonly isOneName: boolean;
  /** How many may join. */
  readonly uses: number;
  /** How many have. */
  readonly used: number;
  /** Until when, ms since 1970. */
  readonly expiresAtMs: number;
  /** Who made it; the server itself for those of its own command line. */
  readonly by: string;
  /** True when an administrator has ended it. */
  readonly isWithdrawn: boolean;
}

/** Invites that have not been forgotten. */
export const inviteList: MessageDefinition<Listed<ListedInvite>> = defineMessage(
  { type: 61, name: "invite-list", signed: true, from: ["server"] },
  listOf(
    v.strictObject({
      codeDigest: bytesOf(32),
      org: plainName,
      names: plainName,
      isOneName: v.boolean(),
      uses: count,
      used: count,
      expiresAtMs: timeMs,
      by: anyName,
      isWithdrawn: v.boolean(),
    }),
  ),
);

/** A request for a certificate as administrators see it. */
export interface ListedRequest {
  /** SHA-256 of the key that asks: the fingerprint that both sides compare. */
  readonly keyDigest: Bytes;
  /** Name that it asks for; empty when it gives none that a site could have. */
  readonly name: string;
  /** Organization that it says it belongs to; empty when it gives none. */
  readonly org: string;
  /** When it came, ms since 1970. */
  readonly requestedAtMs: number;
  /** Network that it came from, for people; never a proof. */
  readonly from: string;
  /** Where it stands. */
  readonly state: "pending" | "approved" | "denied";
  /** Names of the administrators who have approved. */
  readonly approvedBy: readonly string[];
  /** How many have to. */
  readonly approvalsNeeded: number;
}

/** Requests that wait or were decided lately. */
export const requestList: MessageDefinition<Listed<ListedRequest>> = defineMessage(
  { type: 62, name: "request-list", signed: true, from: ["server"] },
  listOf(
    v.strictObject({
      keyDigest: bytesOf(32),
      name: textOf(0, 128),
      org: textOf(0, 63),
      requestedAtMs: timeMs,
      from: textOf(0, 64),
      state: v.picklist(["pending", "approved", "denied"]),
      approvedBy: v.pipe(v.array(anyName), v.maxLength(2)),
      approvalsNeeded: integerIn(1, 2),
    }),
  ),
);

/** A certificate as administrators see it. */
export interface ListedCertificate {
  /** SHA-256 of the certificate. */
  readonly leaf: Bytes;
  /** Whose it is. */
  readonly name: string;
  /** Organization of the holder. */
  readonly org: string;
  /** Role of the holder. */
  readonly role: Role;
  /** Who issued it: the root, in a kit; or the enrolment CA. */
  readonly issuer: "root" | "enrolment";
  /** When it expires, ms since 1970. */
  readonly notAfterMs: number;
  /** True while its holder has a session. */
  readonly isConnected: boolean;
  /** Whether it counts. */
  readonly state: "valid" | "suspended" | "revoked";
  /** Why it does not; empty otherwise. */
  readonly reason: string;
  /** End of a suspension, ms since 1970; 0 without one. */
  readonly untilMs: number;
}

/** Certificates that the enrolment CA issued, that are suspended, or whose holders have a session. */
export const certificateList: MessageDefinition<Listed<ListedCertificate>> = defineMessage(
  { type: 63, name: "certificate-list", signed: true, from: ["server"] },
  listOf(
    v.strictObject({
      leaf: bytesOf(32),
      name: textOf(0, 128),
      org: textOf(0, 63),
      role: v.custom<Role>((value) => typeof value === "string" && isRole(value), "a role"),
      issuer: v.picklist(["root", "enrolment"]),
      notAfterMs: timeMs,
      isConnected: v.boolean(),
      state: v.picklist(["valid", "suspended", "revoked"]),
      reason,
      untilMs: timeMs,
    }),
  ),
);

/** Body of {@link commandDone}. */
export interface CommandDone {
  /** For people: what came of it. At most 200 characters. */
  readonly detail: string;
}

/** A command that came as an OBJECT took effect and was recorded. Answers the id of the object. */
export const commandDone: MessageDefinition<CommandDone> = defineMessage(
  { type: 64, name: "command-done", signed: true, from: ["server"] },
  v.strictObject({ detail: reason }),
);

/** Body of {@link renewalRequest}. */
export interface RenewalRequest {
  /** SHA-256 of the certificate that it has: that of the session, whose key signs this. */
  readonly leaf: Bytes;
}

/** A site that enrolled asks for the next certificate for its key. Answered by {@link renewed}. */
export const renewalRequest: MessageDefinition<RenewalRequest> = defineMessage(
  { type: 65, name: "renewal-request", signed: true, from: ["site"] },
  v.strictObject({ leaf: bytesOf(32) }),
);

/** Body of {@link renewed}. */
export interface Renewed {
  /** Certificates in DER, leaf first, without the root. */
  readonly chain: readonly Bytes[];
}

/** The next certificate of a site, for the key that it has. */
export const renewed: MessageDefinition<Renewed> = defineMessage(
  { type: 66, name: "renewed", signed: true, from: ["server"] },
  v.strictObject({
    chain: v.pipe(v.array(certificateBytes()), v.minLength(2), v.maxLength(4)),
  }),
);

/** Certificates on the wire have at most 8 KiB (protocol, section 1). */
function certificateBytes(): v.GenericSchema<unknown, Bytes> {
  return v.custom<Bytes>(
    (value) => value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.byteLength <= 8192,
    "at most 8192 bytes",
  );
}
