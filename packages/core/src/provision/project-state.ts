import * as v from "valibot";
import { type Bytes, fromUtf8, toHex, utf8 } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";
import { isRole, type Role } from "../pki/index.ts";
import type { StartupKit } from "./create-kit.ts";

/** A certificate that the root issued. */
export interface IssuedCertificate {
  /** Kit that it went into. */
  readonly kitId: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly sha256: string;
  /** Serial number as revocation lists name it, lower-case hex. */
  readonly serialNumber: string;
  /** Last moment of validity, ms since 1970. */
  readonly notAfterMs: number;
  /** Why it was revoked; absent while it counts. */
  readonly revoked?: string;
}

/** What became of one name of a project. */
export interface IssuedParticipant {
  /** Name of the participant. */
  readonly name: string;
  /** Role of its newest kit. */
  readonly role: Role;
  /** Organization of its newest kit. */
  readonly org: string;
  /** SHA-256 of what the definition said when the newest kit was made, lower-case hex. */
  readonly facts: string;
  /** True once the definition no longer had it. */
  readonly removed?: boolean;
  /** True when its newest certificate admits it over mTLS only; absent for users and servers, and in old records. */
  readonly mutualTls?: boolean;
  /** Its certificates that have not expired, the newest last. */
  readonly certificates: readonly IssuedCertificate[];
}

/** What a project's administrator remembers of what was issued: digests and numbers, never a key. */
export interface ProjectState {
  /** Version of this form. */
  readonly version: 1;
  /** Name of the project. */
  readonly project: string;
  /** Number of the newest revocation list. */
  readonly listNumber: number;
  /** Every name that ever had a kit. */
  readonly participants: readonly IssuedParticipant[];
}

/** No state is larger: 20 000 participants. */
export const MAX_PROJECT_STATE_BYTES: number = 32 * 1_048_576;

/** Names that ever had a kit. */
const MAX_PARTICIPANTS = 50_000;
/** Certificates of one name that have not expired: one a day, and then some. */
const MAX_CERTIFICATES = 1024;

const hex64 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const counter = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const CertificateSchema = v.strictObject({
  kitId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  sha256: hex64,
  serialNumber: v.pipe(v.string(), v.regex(/^(?:[0-9a-f]{2}){1,20}$/)),
  notAfterMs: counter,
  revoked: v.exactOptional(v.pipe(v.string(), v.maxLength(32))),
});

const StateSchema = v.strictObject({
  version: v.literal(1),
  project: v.pipe(v.string(), v.maxLength(63)),
  listNumber: counter,
  participants: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.maxLength(128)),
        role: v.custom<Role>((value) => typeof value === "string" && isRole(value)),
        org: v.pipe(v.string(), v.maxLength(63)),
        facts: hex64,
        removed: v.exactOptional(v.boolean()),
        mutualTls: v.exactOptional(v.boolean()),
        certificates: v.pipe(v.array(CertificateSchema), v.maxLength(MAX_CERTIFICATES)),
      }),
    ),
    v.maxLength(MAX_PARTICIPANTS),
  ),
});

/**
 * A record that could not be read again is not made: whoever holds the root would be left without what was issued.
 * @returns JSON, UTF-8, one participant a line so that changes can be read
 * @throws ProvisionError `ERR_PROJECT_STATE_FULL`
 */
export function encodeProjectState(state: ProjectState): Bytes {
  const { version, project, listNumber, participants } = state;
  const full = participants.find(({ certificates }) => certificates.length > MAX_CERTIFICATES);
  if (full !== undefined) {
    throw stateFull(`${full.name} has ${MAX_CERTIFICATES} certificates that have not expired`);
  }
  const head = `"version": ${version}, "project": ${JSON.stringify(project)}, "listNumber": ${listNumber}`;
  const lines = participants.map((participant) => `    ${JSON.stringify(participant)}`);
  const file = utf8(`{\n  ${head},\n  "participants": [\n${lines.join(",\n")}\n  ]\n}\n`);
  if (participants.length > MAX_PARTICIPANTS || file.length > MAX_PROJECT_STATE_BYTES) {
    throw stateFull(`${participants.length} participants, ${file.length} bytes`);
  }
  return file;
}

function stateFull(detail: string): ProvisionError {
  return new ProvisionError("ERR_PROJECT_STATE_FULL", detail);
}

/** @throws ProvisionError `ERR_PROJECT_STATE_INVALID` */
export function parseProjectState(file: Bytes): ProjectState {
  try {
    if (file.length > MAX_PROJECT_STATE_BYTES) throw new RangeError(`${file.length} bytes`);
    return v.parse(StateSchema, JSON.parse(fromUtf8(file)));
  } catch (cause) {
    throw new ProvisionError("ERR_PROJECT_STATE_INVALID", "the record of what was issued cannot be read", {
      cause,
    });
  }
}

/** What is remembered of the certificate of a kit. */
export function issuedCertificate({
  kitId,
  certificate,
}: Pick<StartupKit, "kitId" | "certificate">): IssuedCertificate {
  const { digest, serialNumber, notAfterMs } = certificate;
  return { kitId, sha256: toHex(digest), serialNumber: toHex(serialNumber), notAfterMs };
}

/** Ends of validity of what was issued, by serial number: see `RevocationBasis`. */
export function notAfterOf({ participants }: ProjectState): ReadonlyMap<string, number> {
  const all = participants.flatMap(({ certificates }) => certificates);
  return new Map(all.map(({ serialNumber, notAfterMs }) => [serialNumber, notAfterMs]));
}

/** The state after the certificates with these serial numbers were revoked. */
export function markRevoked(
  state: ProjectState,
  serialNumbers: ReadonlySet<string>,
  { reason, listNumber }: { readonly reason: string; readonly listNumber: number },
): ProjectState {
  const mark = (certificate: IssuedCertificate): IssuedCertificate =>
    serialNumbers.has(certificate.serialNumber) && certificate.revoked === undefined
      ? { ...certificate, revoked: reason }
      : certificate;
  const participants = state.participants.map((participant) => ({
    ...participant,
    certificates: participant.certificates.map(mark),
  }));
  return { ...state, listNumber, participants };
}
