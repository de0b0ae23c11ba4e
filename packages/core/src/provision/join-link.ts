import { type Bytes, concatBytes, fromBase64Url, fromUtf8, toBase64Url, utf8 } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import { isMachineName, isName } from "../pki/index.ts";

/** What a page needs to enrol: it travels in the fragment of a link, which no server log sees. */
export interface JoinLink {
  /** Name of the project. */
  readonly project: string;
  /** Name that the server's certificate must carry. */
  readonly serverName: string;
  /** SHA-256 of the root certificate: 32 bytes. */
  readonly rootFingerprint: Bytes;
  /** Code of the invite: 16 bytes. Secret. */
  readonly code: Bytes;
}

const VERSION = 1;
const FINGERPRINT_BYTES = 32;
const CODE_BYTES = 16;
/** Version, two names of at most 63 characters with their lengths, fingerprint, code; in base64url. */
const MAX_FRAGMENT_LENGTH = 236;

/** The fragment of a join link, without `#`: base64url of version, names, fingerprint and code. */
export function buildJoinFragment(link: JoinLink): string {
  const { project, serverName, rootFingerprint, code } = link;
  const isWhole = rootFingerprint.length === FINGERPRINT_BYTES && code.length === CODE_BYTES;
  if (!isWhole || !isName(project) || !isMachineName(serverName))
    throw new RangeError("incomplete join link");
  const text = (value: string): Bytes => concatBytes(Uint8Array.of(value.length), utf8(value));
  return toBase64Url(
    concatBytes(Uint8Array.of(VERSION), text(project), text(serverName), rootFingerprint, code),
  );
}

/**
 * Reads the fragment of a join link.
 * @param fragment with or without `#`
 * @throws PkiError `ERR_INVITE_REFUSED` when it is not exactly what {@link buildJoinFragment} writes
 */
export function parseJoinFragment(fragment: string): JoinLink {
  const link = readOrUndefined(fragment.startsWith("#") ? fragment.slice(1) : fragment);
  if (link === undefined) throw new PkiError("ERR_INVITE_REFUSED", "the join link is incomplete or altered");
  return link;
}

function readOrUndefined(text: string): JoinLink | undefined {
  try {
    return read(text);
  } catch {
    return undefined; // not base64url, or bytes that no text has
  }
}

function read(text: string): JoinLink | undefined {
  if (text.length > MAX_FRAGMENT_LENGTH || !/^[A-Za-z0-9_-]+$/.test(text) || text.length % 4 === 1) {
    return undefined;
  }
  const bytes = fromBase64Url(text);
  const project = shortText(bytes, 1);
  const serverName = project === undefined ? undefined : shortText(bytes, 2 + project.length);
  if (bytes[0] !== VERSION || project === undefined || serverName === undefined) return undefined;
  const rest = bytes.slice(3 + project.length + serverName.length);
  if (rest.length !== FINGERPRINT_BYTES + CODE_BYTES) return undefined;
  if (!isName(project) || !isMachineName(serverName)) return undefined;
  // Bits that base64url leaves over at the end: one link has one spelling.
  if (toBase64Url(bytes) !== text) return undefined;
  return {
    project,
    serverName,
    rootFingerprint: rest.slice(0, FINGERPRINT_BYTES),
    code: rest.slice(FINGERPRINT_BYTES),
  };
}

/** Names are ASCII, so characters and bytes count the same; `undefined` when it is cut off or not text. */
function shortText(bytes: Bytes, offset: number): string | undefined {
  const length = bytes[offset];
  if (length === undefined || offset + 1 + length > bytes.length) return undefined;
  const content = bytes.subarray(offset + 1, offset + 1 + length);
  return content.every((byte) => byte < 128) ? fromUtf8(content) : undefined;
}
