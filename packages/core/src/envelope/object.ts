import { type Bytes, equalBytes } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { DecomposerError, EnvelopeError, MessageError } from "../errors/index.ts";
import type { Identity, Role } from "../pki/index.ts";
import type { CryptoProvider, VerifyingKey } from "../platform/index.ts";
import { FRAME_KIND, type Frame, PROTOCOL_VERSION, readFrame } from "../wire/index.ts";
import type { ChainDirectory } from "./chain-directory.ts";
import type { VerifiedObject } from "./contract.ts";
import {
  describePayload,
  type PayloadDescriptor,
  payloadPositions,
  readPayloadPositions,
  requirePayload,
} from "./payload.ts";
import type { ObjectReplayStore } from "./replay-store.ts";
import { MAX_NAME_BYTES } from "./route.ts";
import { isSignedBy, signFrame } from "./signature.ts";
import { MAX_SCOPE_BYTES } from "./signed.ts";

/** An object may be issued this far in the future of the receiver's clock. */
const OBJECT_SKEW_MS = 60_000;
/** Longest life of a command. */
export const MAX_COMMAND_LIFETIME_MS = 600_000;
/** Longest life of any object: a job's 30 days. */
export const MAX_OBJECT_LIFETIME_MS: number = 30 * 86_400_000;
/** Audience of an object that is meant for every participant of the project. */
export const AUDIENCE_ALL = "all";

/** Header of an OBJECT frame (kind 12), protocol section 4. */
interface ObjectHeader {
  readonly algorithm: number;
  readonly objectType: number;
  readonly project: string;
  readonly signer: Bytes;
  readonly audience: string;
  readonly objectId: Bytes;
  readonly counter: number | undefined;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly scope: string | undefined;
  readonly payload: PayloadDescriptor;
}

/** What {@link sealObject} seals. */
export interface ObjectContent {
  /** Integer of the kind of object. */
  readonly objectType: number;
  /** Name of a participant, or "all". */
  readonly audience: string;
  /** 16 bytes; random by default. */
  readonly objectId?: Bytes;
  /** Grows with each object of this signer, for kinds where a later one replaces an earlier. */
  readonly counter?: number;
  /** ms since 1970 on the local clock. */
  readonly issuedAt: number;
  /** How long it may be accepted, ms; at most 30 days. */
  readonly lifetimeMs: number;
  /** Job or round that it belongs to. */
  readonly scope?: string;
  /** Encoded by the decomposers. */
  readonly payload: Bytes;
}

/**
 * Signs an object once; the same bytes are then stored, relayed and broadcast: one hash, one signature, whatever the
 * number of receivers.
 */
export async function sealObject(
  content: ObjectContent,
  { identity, crypto }: { readonly identity: Identity; readonly crypto: CryptoProvider },
): Promise<Bytes> {
  if (!(content.lifetimeMs > 0 && content.lifetimeMs <= MAX_OBJECT_LIFETIME_MS)) {
    throw new RangeError("an object lives up to 30 days");
  }
  const { participant, signingKey } = identity;
  const header = writePositional([
    PROTOCOL_VERSION,
    signingKey.algorithm,
    content.objectType,
    participant.project,
    participant.leafDigest,
    content.audience,
    content.objectId ?? crypto.randomBytes(16),
    content.counter,
    content.issuedAt,
    content.issuedAt + content.lifetimeMs,
    content.scope,
    payloadPositions(await describePayload(content.payload, crypto)),
  ]);
  const frame = { kind: FRAME_KIND.object, label: "object", header, payload: content.payload } as const;
  return await signFrame(frame, signingKey, crypto);
}

function readObjectHeader(header: Bytes): ObjectHeader {
  // [W-42]
  return readPositional(header, (reader) => {
    reader.uint(PROTOCOL_VERSION, PROTOCOL_VERSION);
    return {
      algorithm: reader.uint(3, 1),
      objectType: reader.uint(0xffff, 1),
      project: reader.text(MAX_NAME_BYTES, 1),
      signer: reader.bin(32),
      audience: reader.text(MAX_NAME_BYTES, 1),
      objectId: reader.bin(16),
      counter: reader.nullable(() => reader.uint()),
      issuedAt: reader.uint(),
      expiresAt: reader.uint(),
      scope: reader.nullable(() => reader.text(MAX_SCOPE_BYTES)),
      payload: readPayloadPositions(reader),
    };
  });
}

/** Id and signer that an OBJECT frame names; nothing is verified. @throws DecomposerError `ERR_DECODE_REFUSED` */
export function identifyObject(object: Bytes): { readonly objectId: Bytes; readonly signer: Bytes } {
  const { objectId, signer } = readObjectHeader(readFrame(object).header);
  return { objectId, signer };
}

/** What an OBJECT says that is shown later, as evidence of what its signer said. */
export interface ObjectEvidence {
  /** Integer of the kind of object. */
  readonly objectType: number;
  /** Name of the project. */
  readonly project: string;
  /** ms since 1970 on the signer's clock. */
  readonly issuedAt: number;
  /** Bound by the signature. */
  readonly payload: Bytes;
}

/**
 * Opens an OBJECT frame as evidence: whether `key` signed it is all that counts, not when it is shown nor to whom.
 * @returns `undefined` when it did not
 * @throws DecomposerError `ERR_DECODE_REFUSED`; EnvelopeError `ERR_DIGEST_MISMATCH`
 */
export async function openObjectEvidence(
  bytes: Bytes,
  key: VerifyingKey,
  crypto: CryptoProvider,
): Promise<ObjectEvidence | undefined> {
  const frame = readFrame(bytes);
  if (frame.kind !== FRAME_KIND.object)
    throw new DecomposerError("ERR_DECODE_REFUSED", "not an OBJECT frame");
  const { algorithm, objectType, project, issuedAt, payload } = readObjectHeader(frame.header);
  if (!(await isSignedBy(key, { label: "object", algorithm, frame }, crypto))) return undefined;
  await requirePayload(payload, frame.payload, crypto);
  return { objectType, project, issuedAt, payload: frame.payload };
}

/** What a receiver demands of one kind of object. */
export interface ObjectRule {
  /** Roles whose signature counts. */
  readonly signers: readonly Role[];
  /** Longest life, ms. */
  readonly maximumLifetimeMs: number;
  /** True: each object of a signer must have a counter above the last. False: there must be none. */
  readonly counted: boolean;
}

/** What a verifier of objects is told. */
export interface ObjectVerifierOptions {
  /** Name of the project. */
  readonly project: string;
  /** Own name: an object for somebody else is refused. */
  readonly self: string;
  /** Kinds of objects by number; one without a rule is refused. */
  readonly rules: ReadonlyMap<number, ObjectRule>;
}

/** What a verifier of objects works with. */
export interface ObjectVerifierModules {
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Chains of signers by digest of the leaf. */
  readonly chains: ChainDirectory;
  /** Objects that were handled; outlives sessions. */
  readonly replay: ObjectReplayStore;
}

/** Checks objects in the receive order, cheap first. */
export class ObjectVerifier {
  readonly #options: ObjectVerifierOptions;
  readonly #modules: ObjectVerifierModules;

  constructor(options: ObjectVerifierOptions, modules: ObjectVerifierModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * Verifies an OBJECT frame. Nothing is recorded: see {@link commit}.
   *
   * @param nowMs the local clock
   * @returns `undefined` when this very object was handled before: it is dropped and has no effect again
   * @throws DecomposerError `ERR_DECODE_REFUSED`; EnvelopeError `ERR_ENVELOPE_WRONG_RECIPIENT`, `ERR_ENVELOPE_STALE`,
   *   `ERR_ENVELOPE_UNKNOWN_SENDER`, `ERR_ENVELOPE_REPLAYED`, `ERR_ENVELOPE_SIGNATURE_INVALID`, `ERR_DIGEST_MISMATCH`;
   *   MessageError `ERR_TYPE_UNKNOWN`; PkiError when the signer's chain no longer verifies
   */
  async open(bytes: Bytes, nowMs: number): Promise<VerifiedObject | undefined> {
    const frame = readFrame(bytes);
    if (frame.kind !== FRAME_KIND.object) {
      throw new DecomposerError("ERR_DECODE_REFUSED", "not an OBJECT frame");
    }
    const header = readObjectHeader(frame.header);
    const rule = this.#requireRule(header);
    requireObjectTimes(header, rule, nowMs);
    const known = await this.#modules.replay.digestOf(header.objectId);
    // [W-56] the digest of what was signed last time tells a repetition from a forgery
    if (known !== undefined) return requireRepetition(known, header);
    const signer = await this.#modules.chains.require(header.signer, nowMs);
    requireSigner(rule, signer.participant.role);
    await this.#requireCounter(header, rule);
    await requireSignature(frame, header, { key: signer.verifyingKey, crypto: this.#modules.crypto });
    await requirePayload(header.payload, frame.payload, this.#modules.crypto);
    const { objectType, audience, objectId, issuedAt, expiresAt, scope } = header;
    return {
      objectType,
      signer: signer.participant,
      audience,
      objectId,
      counter: header.counter,
      issuedAt,
      expiresAt,
      scope,
      payload: frame.payload,
      payloadDigest: header.payload.digest,
      bytes,
    };
  }

  /** Records an object that was handled: it has no effect again until it expires. */
  async commit(object: VerifiedObject): Promise<void> {
    await this.#modules.replay.record({
      objectId: object.objectId,
      objectType: object.objectType,
      digest: object.payloadDigest,
      expiresAt: object.expiresAt,
      counted:
        object.counter === undefined
          ? undefined
          : { signer: object.signer.leafDigest, objectType: object.objectType, counter: object.counter },
    });
  }

  #requireRule(header: ObjectHeader): ObjectRule {
    const { project, self, rules } = this.#options;
    // [W-51]
    if (header.project !== project || (header.audience !== self && header.audience !== AUDIENCE_ALL)) {
      throw new EnvelopeError(
        "ERR_ENVELOPE_WRONG_RECIPIENT",
        "the object is for another participant or project",
      );
    }
    // [W-52]
    const rule = rules.get(header.objectType);
    if (rule === undefined) {
      throw new MessageError(
        "ERR_TYPE_UNKNOWN",
        `objects of type ${header.objectType} are not expected here`,
      );
    }
    return rule;
  }

  async #requireCounter(
    { signer, objectType, counter }: ObjectHeader,
    { counted }: ObjectRule,
  ): Promise<void> {
    // [W-57]
    if (counted !== (counter !== undefined)) {
      throw new EnvelopeError("ERR_ENVELOPE_STALE", "the object has no counter, or one where none belongs");
    }
    if (counter === undefined) return;
    const last = await this.#modules.replay.lastCounter(signer, objectType);
    if (last !== undefined && counter <= last) {
      throw new EnvelopeError("ERR_ENVELOPE_STALE", `counter ${counter} is not above ${last}`);
    }
  }
}

function requireObjectTimes(header: ObjectHeader, rule: ObjectRule, nowMs: number): void {
  // [W-53]
  const isCurrent =
    header.issuedAt <= nowMs + OBJECT_SKEW_MS &&
    header.expiresAt > nowMs &&
    header.expiresAt - header.issuedAt <= rule.maximumLifetimeMs;
  if (!isCurrent) {
    throw new EnvelopeError(
      "ERR_ENVELOPE_STALE",
      "the object has expired, is from the future, or lives too long",
    );
  }
}

function requireRepetition(known: Bytes, header: ObjectHeader): undefined {
  if (equalBytes(known, header.payload.digest)) return undefined;
  throw new EnvelopeError("ERR_ENVELOPE_REPLAYED", "another object with this id was handled before");
}

function requireSigner(rule: ObjectRule, role: Role): void {
  // [W-55]
  if (!rule.signers.includes(role)) {
    throw new MessageError("ERR_TYPE_UNKNOWN", `objects of this type are not signed by the role ${role}`);
  }
}

async function requireSignature(
  frame: Frame,
  { algorithm }: ObjectHeader,
  { key, crypto }: { key: VerifyingKey; crypto: CryptoProvider },
): Promise<void> {
  // [W-58]
  if (await isSignedBy(key, { label: "object", algorithm, frame }, crypto)) return;
  throw new EnvelopeError(
    "ERR_ENVELOPE_SIGNATURE_INVALID",
    "the object is not signed by the key of its signer",
  );
}
