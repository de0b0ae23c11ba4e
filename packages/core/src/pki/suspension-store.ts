import { type Bytes, toHex } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { StorageError } from "../errors/index.ts";
import type { MetadataStore } from "../platform/index.ts";
import { isLater, type SuspensionDecision, type SuspensionStore } from "./suspensions.ts";
import { isRole } from "./urn.ts";

const FORM = 1;
const PREFIX = "suspension/";
/** Kept beyond its end: a clock that is set back by less makes no older decision hold again. */
const MARGIN_MS = 86_400_000;
/** Processes that share a store write one decision each at a time. */
const MAX_ATTEMPTS = 16;
const MAX_OBJECT_BYTES = 16_384;
const MAX_CERTIFICATE_BYTES = 8192;

/** Keeps decisions in the metadata of a server; all processes that share it see the same. */
export function metadataSuspensionStore(metadata: MetadataStore): SuspensionStore {
  return {
    async load(nowMs) {
      const kept: SuspensionDecision[] = [];
      for (const { key, value } of await metadata.list(PREFIX)) {
        const decision = decodeDecision(value);
        if (nowMs < decision.untilMs + MARGIN_MS) kept.push(decision);
        else await metadata.delete(key);
      }
      return kept;
    },
    async save(decision) {
      for (let attempt = 1; !(await saveOnce(decision, metadata, attempt === MAX_ATTEMPTS)); attempt++);
    },
  };
}

/** @returns false when another process was quicker: which decision is the later one is looked at again */
async function saveOnce(
  decision: SuspensionDecision,
  metadata: MetadataStore,
  isLast: boolean,
): Promise<boolean> {
  const key = `${PREFIX}${toHex(decision.leafDigest)}`;
  const present = await metadata.get(key);
  if (present !== undefined && !isLater(decision, decodeDecision(present.value))) return true;
  const bytes = encodeDecision(decision);
  try {
    if (present === undefined) await metadata.create(key, bytes);
    else await metadata.put(key, bytes, present.revision);
    return true;
  } catch (error) {
    if (!(error instanceof StorageError) || isLast) throw error;
    return false;
  }
}

function encodeDecision(decision: SuspensionDecision): Bytes {
  const { leafDigest, name, org, role, kind, issuedAtMs, untilMs, reason, by, object, signerChain } =
    decision;
  return writePositional([
    ...[FORM, leafDigest, name, org, role, kind, issuedAtMs, untilMs, reason, by, object],
    signerChain,
  ]);
}

function decodeDecision(bytes: Bytes): SuspensionDecision {
  try {
    return readPositional(bytes, (reader) => {
      reader.uint(FORM, FORM);
      const leafDigest = reader.bin(32);
      const [name, org, role] = [reader.text(128), reader.text(63), reader.text(16)];
      if (!isRole(role)) throw new RangeError("an unknown role");
      return {
        ...{ leafDigest, name, org, role },
        kind: reader.oneOf(["suspend", "resume"] as const),
        issuedAtMs: reader.uint(),
        untilMs: reader.uint(),
        reason: reader.text(1024),
        by: reader.text(128),
        object: reader.bin(undefined, MAX_OBJECT_BYTES),
        signerChain: reader.array(4, () => reader.bin(undefined, MAX_CERTIFICATE_BYTES), 1),
      };
    });
  } catch (cause) {
    throw new StorageError("ERR_STORAGE_CORRUPT", "a stored suspension is damaged", { cause });
  }
}
