import { type Bytes, equalBytes } from "../bytes/index.ts";
import { type PositionalReader, readPositional, writePositional } from "../decomposer/index.ts";
import { EnvelopeError } from "../errors/index.ts";
import { isRole, type Participant, type Role } from "../pki/index.ts";
import type { CryptoProvider, SigningKey, VerifyingKey } from "../platform/index.ts";
import { labelled, MAX_TAG_BYTES, PROTOCOL_VERSION } from "../wire/index.ts";
import { MAX_NAME_BYTES } from "./route.ts";

/** How long a token is valid: 15 min. Renewed at two thirds. */
export const TOKEN_LIFETIME_MS = 900_000;
/** The issuer's clock may have been behind when a session begins. */
const TOKEN_BACKDATED_MS = 60_000;
const MAX_TOKEN_BYTES = 4096;
const MAX_SCOPES = 16;

/** What a token says (protocol, section 3): who acts in which session. FLARE: token. */
export interface Token {
  /** Algorithm of the server's signature. */
  readonly algorithm: number;
  /** SHA-256 of the issuing server's SubjectPublicKeyInfo. */
  readonly serverKeyId: Bytes;
  /** 16 random bytes. */
  readonly tokenId: Bytes;
  /** Name of the project. */
  readonly project: string;
  /** Of the holder, from its certificate. */
  readonly name: string;
  /** Role of the holder. */
  readonly role: Role;
  /** Organization. */
  readonly org: string;
  /** SHA-256 of the holder's leaf certificate: of no use without its key. */
  readonly confirmation: Bytes;
  /** Session that it is bound to. */
  readonly sid: Bytes;
  /** What the session may do: "full". */
  readonly scopes: readonly string[];
  /** ms since 1970 on the server's clock. */
  readonly issuedAt: number;
  /** ms since 1970 on the server's clock. */
  readonly notBefore: number;
  /** ms since 1970 on the server's clock. */
  readonly expiresAt: number;
  /** SHA-256 of the evidence that was verified, when there was one. */
  readonly attestationDigest: Bytes | undefined;
}

/** A token with its reference and its bytes as they travel. */
export interface IssuedToken {
  /** What the token says. */
  readonly token: Token;
  /** SHA-256 of the token's array: what headers carry. */
  readonly ref: Bytes;
  /** `[array bin, signature bin]` */
  readonly bytes: Bytes;
}

/** For whom and for which session a token is issued. */
export interface TokenRequest {
  /** Whom the token is for. */
  readonly holder: Participant;
  /** Id of the session: 32 bytes. */
  readonly sid: Bytes;
  /** Now on the server's clock. */
  readonly nowMs: number;
  /** SHA-256 of the server's SubjectPublicKeyInfo. */
  readonly serverKeyId: Bytes;
}

/** Issues a token: one signature by the server's key over S("token", array). */
export async function issueToken(
  { holder, sid, nowMs, serverKeyId }: TokenRequest,
  { key, crypto }: { readonly key: SigningKey; readonly crypto: CryptoProvider },
): Promise<IssuedToken> {
  const token: Token = {
    algorithm: key.algorithm,
    serverKeyId,
    tokenId: crypto.randomBytes(16),
    project: holder.project,
    name: holder.name,
    role: holder.role,
    org: holder.org,
    confirmation: holder.leafDigest,
    sid,
    scopes: ["full"],
    issuedAt: nowMs,
    notBefore: nowMs - TOKEN_BACKDATED_MS,
    expiresAt: nowMs + TOKEN_LIFETIME_MS,
    attestationDigest: undefined,
  };
  const array = encodeToken(token);
  const signature = await crypto.sign(key, labelled("token", array));
  return { token, ref: await crypto.sha256(array), bytes: writePositional([array, signature]) };
}

function encodeToken(token: Token): Bytes {
  return writePositional([
    PROTOCOL_VERSION,
    token.algorithm,
    token.serverKeyId,
    token.tokenId,
    token.project,
    token.name,
    token.role,
    token.org,
    token.confirmation,
    token.sid,
    token.scopes,
    token.issuedAt,
    token.notBefore,
    token.expiresAt,
    token.attestationDigest,
  ]);
}

function decodeToken(array: Bytes): Token {
  return readPositional(array, (reader) => {
    reader.uint(PROTOCOL_VERSION, PROTOCOL_VERSION);
    return {
      algorithm: reader.uint(3, 1),
      serverKeyId: reader.bin(32),
      tokenId: reader.bin(16),
      project: reader.text(MAX_NAME_BYTES, 1),
      name: reader.text(MAX_NAME_BYTES, 1),
      role: readRole(reader),
      org: reader.text(MAX_NAME_BYTES, 1),
      confirmation: reader.bin(32),
      sid: reader.bin(32),
      scopes: reader.array(MAX_SCOPES, () => reader.text(64, 1)),
      issuedAt: reader.uint(),
      notBefore: reader.uint(),
      expiresAt: reader.uint(),
      attestationDigest: reader.nullable(() => reader.bin(32)),
    };
  });
}

function readRole(reader: PositionalReader): Role {
  const role = reader.text(32, 1);
  if (!isRole(role))
    throw new EnvelopeError("ERR_TOKEN_UNKNOWN", "the token names a role that does not exist");
  return role;
}

/** What a token must say to count in a session. */
export interface TokenExpectations {
  /** Who holds it, from the verified certificate. */
  readonly holder: Participant;
  /** Id of the session: 32 bytes. */
  readonly sid: Bytes;
  /** Now on the server's clock. */
  readonly nowMs: number;
  /** The issuing server's key, from its verified certificate. */
  readonly serverKey: VerifyingKey;
  /** SHA-256 of the issuing server's SubjectPublicKeyInfo. */
  readonly serverKeyId: Bytes;
}

/**
 * Verifies a token as it arrived.
 * @throws DecomposerError `ERR_DECODE_REFUSED`; EnvelopeError `ERR_TOKEN_UNKNOWN` when it is not the server's or not
 *   for this holder and session, `ERR_TOKEN_EXPIRED`
 */
export async function verifyToken(
  bytes: Bytes,
  expected: TokenExpectations,
  crypto: CryptoProvider,
): Promise<IssuedToken> {
  const [array, signature] = readPositional(bytes, (reader) => [
    reader.bin(undefined, MAX_TOKEN_BYTES),
    reader.bin(undefined, MAX_TAG_BYTES),
  ]);
  // [W-61]
  if (!(await crypto.verify(expected.serverKey, signature, labelled("token", array)))) {
    throw new EnvelopeError("ERR_TOKEN_UNKNOWN", "the token is not signed by the server of this session");
  }
  const token = decodeToken(array);
  // [W-62]
  if (!isBound(token, expected)) {
    throw new EnvelopeError("ERR_TOKEN_UNKNOWN", "the token is for another holder or session");
  }
  // [W-63]
  if (token.notBefore > expected.nowMs || token.expiresAt <= expected.nowMs) {
    throw new EnvelopeError("ERR_TOKEN_EXPIRED", "the token is not valid at this time");
  }
  return { token, ref: await crypto.sha256(array), bytes };
}

function isBound(token: Token, { holder, sid, serverKey, serverKeyId }: TokenExpectations): boolean {
  return (
    token.algorithm === serverKey.algorithm &&
    equalBytes(token.serverKeyId, serverKeyId) &&
    token.project === holder.project &&
    token.name === holder.name &&
    token.role === holder.role &&
    token.org === holder.org &&
    equalBytes(token.confirmation, holder.leafDigest) &&
    equalBytes(token.sid, sid) &&
    token.scopes.includes("full")
  );
}
