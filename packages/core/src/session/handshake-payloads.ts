import { type Bytes, concatBytes } from "../bytes/index.ts";
import {
  type PositionalReader,
  type PositionalValue,
  readPositional,
  writePositional,
} from "../decomposer/index.ts";
import { MAX_NAME_BYTES } from "../envelope/index.ts";
import { WireError } from "../errors/index.ts";
import { MAX_REVOCATION_LIST_BYTES } from "../pki/index.ts";
import { MAX_TAG_BYTES, PROTOCOL_VERSION } from "../wire/index.ts";

/** Versions that this implementation speaks. */
export const SUPPORTED_VERSIONS: readonly number[] = [PROTOCOL_VERSION];

/** Before authentication: certificates in a chain, and bytes of each. */
const MAX_CERTIFICATES = 4;
const MAX_CERTIFICATE_BYTES = 8192;
const MAX_VERSIONS = 16;
/** Clear payload of message 1. */
const MAX_OFFER_BYTES = 2048;

/** Payload of message 1, in clear. */
export interface Offer {
  /** Protocol versions that the client speaks. */
  readonly versions: readonly number[];
  /** Server that it wants. */
  readonly serverName: string;
}

/** Payload of message 2. */
export interface ServerHello {
  /** Version that the server chose. */
  readonly version: number;
  /** All that it speaks, so that a client sees when somebody else chose. */
  readonly versions: readonly number[];
  /** Certificates, leaf first, without the root. */
  readonly chain: readonly Bytes[];
  /** Root of the project; who enrols compares its digest with the link. */
  readonly root: Bytes;
  /** Newest revocation list of the root, DER; a server without one is refused. */
  readonly revocationList: Bytes | undefined;
  /** Algorithm of the signature. */
  readonly algorithm: number;
}

/** Payload of message 3. */
export interface ClientHello {
  /** Certificates, leaf first; empty when it enrols. */
  readonly chain: readonly Bytes[];
  /** PKCS#10 request of somebody who enrols, and the code of his invite where he has one. */
  readonly enrolment: { readonly request: Bytes; readonly code: Bytes | undefined } | undefined;
  /** Algorithm of the signature. */
  readonly algorithm: number;
  /** Credential of an external authenticator. */
  readonly externalCredential: Bytes | undefined;
  /** TLS exporter value of RFC 9266. */
  readonly channelBinding: Bytes | undefined;
}

/** A payload with its signature, and what the signature covers. */
export interface Signed<Payload> {
  readonly payload: Payload;
  readonly signature: Bytes;
  /** P: the array without its signature, encoded. */
  readonly signedPart: Bytes;
}

/** `[versions, serverName]` */
export function encodeOffer({ versions, serverName }: Offer): Bytes {
  return writePositional([versions, serverName]);
}

/** @throws WireError `ERR_TOO_LARGE`, DecomposerError `ERR_DECODE_REFUSED` */
export function decodeOffer(bytes: Bytes): Offer {
  // [W-23]
  if (bytes.byteLength > MAX_OFFER_BYTES)
    throw new WireError("ERR_TOO_LARGE", "the offer has more than 2 KiB");
  return readPositional(bytes, (reader) => ({
    versions: readVersions(reader),
    serverName: reader.text(MAX_NAME_BYTES, 1),
  }));
}

function serverPositions(hello: ServerHello): PositionalValue[] {
  return [hello.version, hello.versions, hello.chain, hello.root, hello.revocationList, hello.algorithm];
}

/** P of message 2. */
export function signedPartOfServer(hello: ServerHello): Bytes {
  return writePositional(serverPositions(hello));
}

/** `[version, versions, chain, root, crl|nil, alg, signature]` */
export function encodeServerHello(hello: ServerHello, signature: Bytes): Bytes {
  return writePositional([...serverPositions(hello), signature]);
}

/** {@link encodeServerHello} of a payload that was encoded before, without its signature: its bytes are not made again. */
export function signServerHello(signedPart: Bytes, signature: Bytes): Bytes {
  // The heads of arrays of up to 15 values are one byte: one more position, and the rest as it is.
  const [head = 0] = signedPart;
  return concatBytes(
    Uint8Array.of(head + 1),
    signedPart.subarray(1),
    writePositional([signature]).subarray(1),
  );
}

/** @throws DecomposerError `ERR_DECODE_REFUSED` */
export function decodeServerHello(bytes: Bytes): Signed<ServerHello> {
  // [W-24]
  const { signature, ...payload } = readPositional(bytes, (reader) => ({
    version: reader.uint(0xffff),
    versions: readVersions(reader),
    chain: readChain(reader, 1),
    root: reader.bin(undefined, MAX_CERTIFICATE_BYTES),
    revocationList: reader.nullable(() => reader.bin(undefined, MAX_REVOCATION_LIST_BYTES)),
    algorithm: reader.uint(3, 1),
    signature: reader.bin(undefined, MAX_TAG_BYTES),
  }));
  return { payload, signature, signedPart: signedPartOfServer(payload) };
}

/** The positions of message 3 before and after its signature. */
function clientPositions(hello: ClientHello): readonly [PositionalValue[], PositionalValue[]] {
  const { chain, enrolment, algorithm, externalCredential, channelBinding } = hello;
  return [
    [chain, enrolment?.request, enrolment?.code, algorithm],
    [externalCredential, channelBinding],
  ];
}

/** P of message 3. */
export function signedPartOfClient(hello: ClientHello): Bytes {
  return writePositional(clientPositions(hello).flat());
}

/** `[chain, request|nil, code|nil, alg, signature, credential|nil, exporter|nil]` */
export function encodeClientHello(hello: ClientHello, signature: Bytes): Bytes {
  const [before, after] = clientPositions(hello);
  return writePositional([...before, signature, ...after]);
}

/** @throws DecomposerError `ERR_DECODE_REFUSED`, WireError `ERR_FRAME_MALFORMED` */
export function decodeClientHello(bytes: Bytes): Signed<ClientHello> {
  // [W-24]
  const read = readPositional(bytes, (reader) => ({
    chain: readChain(reader, 0),
    request: reader.nullable(() => reader.bin(undefined, MAX_CERTIFICATE_BYTES)),
    code: reader.nullable(() => reader.bin(16)),
    algorithm: reader.uint(3, 1),
    signature: reader.bin(undefined, MAX_TAG_BYTES),
    externalCredential: reader.nullable(() => reader.bin(undefined, MAX_CERTIFICATE_BYTES)),
    channelBinding: reader.nullable(() => reader.bin(32)),
  }));
  const { chain, request, code, algorithm, signature, externalCredential, channelBinding } = read;
  const enrolment = request === undefined ? undefined : { request, code };
  // [W-25] a chain, or a request, and a code with a request only; never both
  const isStray = request === undefined && code !== undefined;
  if (isStray || (enrolment === undefined) === (chain.length === 0)) {
    throw new WireError("ERR_FRAME_MALFORMED", "message 3 brings a chain, or a request");
  }
  const payload: ClientHello = { chain, enrolment, algorithm, externalCredential, channelBinding };
  return { payload, signature, signedPart: signedPartOfClient(payload) };
}

function readVersions(reader: PositionalReader): number[] {
  return reader.array(MAX_VERSIONS, () => reader.uint(0xffff), 1);
}

function readChain(reader: PositionalReader, minimum: number): Bytes[] {
  return reader.array(MAX_CERTIFICATES, () => reader.bin(undefined, MAX_CERTIFICATE_BYTES), minimum);
}

/** The highest version that both lists have; `undefined` without one. */
export function highestCommonVersion(ours: readonly number[], theirs: readonly number[]): number | undefined {
  return ours.filter((version) => theirs.includes(version)).sort((left, right) => right - left)[0];
}
