import { type Bytes, equalBytes, fromBase64Url, fromHex, toBase64Url, toHex } from "../bytes/index.ts";
import { builtInRegistry, decode } from "../decomposer/index.ts";
import type { VerifiedObject } from "../envelope/index.ts";
import { WireError } from "../errors/index.ts";
import { parseSignedAuditHead } from "../message/index.ts";
import type { AuditRecord, AuditStore } from "../platform/index.ts";
import type { AuditHead } from "./chain.ts";
import type { AuditLog } from "./log.ts";

/** Action of the records that hold heads of other chains. */
export const WITNESS_ACTION = "witness";

/** A head is told when a session begins and every five minutes; one that is told sooner is not heard, ms. */
const LEAST_BETWEEN_MS = 60_000;

/**
 * Each head becomes a record: without a pace the other side could fill the disk with them.
 * @param lastMs when the last one of the session came
 * @throws WireError `ERR_RATE_LIMITED`
 */
export function requireHeadPace(lastMs: number | undefined, nowMs: number): void {
  // [W-221]
  if (lastMs !== undefined && nowMs < lastMs + LEAST_BETWEEN_MS)
    throw new WireError("ERR_RATE_LIMITED", "an audit head a minute is enough");
}

/** A head of somebody else's chain, as its owner signed it. */
export interface WitnessedHead extends AuditHead {
  /** The OBJECT. */
  readonly object: Bytes;
  /** When its owner signed it, ms since 1970 on its clock. */
  readonly issuedAtMs: number;
}

/** Remembers how far the chains of others were. */
export interface HeadMemory {
  /** The furthest head of a chain that was kept. @param chain names it */
  last(chain: string): Promise<WitnessedHead | undefined>;
  /** Keeps a head in place of the one before. */
  keep(chain: string, head: WitnessedHead): Promise<void>;
}

/** True when a chain that has reached `last` can have `head`: it went on, or nothing was added. */
export function mayFollow(last: AuditHead, head: AuditHead): boolean {
  return head.count > last.count || (head.count === last.count && equalBytes(head.hash, last.hash));
}

/**
 * Takes the word of the others how far their audit chains are, records it in the own one, and notices a chain that has
 * become shorter, or another one.
 */
export class HeadWitness {
  readonly #memory: HeadMemory;
  readonly #audit: AuditLog;

  constructor(memory: HeadMemory, audit: AuditLog) {
    this.#memory = memory;
    this.#audit = audit;
  }

  /**
   * A signed head arrived and verified. One that was signed before the last is late, as of another process of the same
   * server, and tells nothing.
   * @param chain whose chain it is: a name that outlasts its certificates
   * @returns the head that was witnessed before and that this one does not follow; `undefined` when all is well
   * @throws MessageError `ERR_MESSAGE_MALFORMED`; StorageError
   */
  async take(object: VerifiedObject, chain: string): Promise<WitnessedHead | undefined> {
    const head = parseSignedAuditHead(decode(object.payload, builtInRegistry()));
    const witnessed = { ...head, object: object.bytes, issuedAtMs: object.issuedAt };
    const last = await this.#memory.last(chain);
    // [W-222]
    if (last !== undefined && witnessed.issuedAtMs < last.issuedAtMs) return undefined;
    const isBehind = last !== undefined && !mayFollow(last, head);
    const { signer } = object;
    await this.#audit.record({
      actor: `${toHex(signer.leafDigest)} ${signer.name}`,
      action: WITNESS_ACTION,
      object: signer.name,
      outcome: isBehind ? "refused" : "accepted",
      reason: isBehind ? "ERR_AUDIT_BEHIND" : "",
      details: {
        ...headDetails(witnessed),
        ...(isBehind && { witnessedCount: last.count, witnessedHead: toHex(last.hash) }),
      },
    });
    if (isBehind) return last;
    await this.#memory.keep(chain, witnessed);
    return undefined;
  }
}

/** The details of a record by which a head is witnessed. */
export function headDetails(witnessed: WitnessedHead): AuditRecord["event"]["details"] {
  const { count, hash, object, issuedAtMs } = witnessed;
  return { count, head: toHex(hash), object: toBase64Url(object), issuedAtMs };
}

/** The head that a record witnesses, and of whom; `undefined` for any other record. */
export function witnessedBy({ event }: AuditRecord): (WitnessedHead & { readonly name: string }) | undefined {
  const { count, head, object, issuedAtMs } = event.details;
  if (event.action !== WITNESS_ACTION || event.outcome !== "accepted") return undefined;
  if (typeof count !== "number" || typeof issuedAtMs !== "number") return undefined;
  if (typeof head !== "string" || typeof object !== "string") return undefined;
  if (!/^[0-9a-f]{64}$/.test(head) || !/^[\w-]+$/.test(object)) return undefined;
  return { count, hash: fromHex(head), object: fromBase64Url(object), issuedAtMs, name: event.object };
}

/** Of a host that witnesses one chain only: the own records tell what it was. Reads them once. */
export function recordedHeadMemory(store: Pick<AuditStore, "read">): HeadMemory {
  let last: Promise<WitnessedHead | undefined> | undefined;
  return {
    last: () => {
      last ??= lastWitnessed(store).catch((error: unknown) => {
        last = undefined; // read again the next time
        throw error;
      });
      return last;
    },
    keep: (_chain, head) => {
      last = Promise.resolve(head); // the record that tells it is written
      return Promise.resolve();
    },
  };
}

async function lastWitnessed(store: Pick<AuditStore, "read">): Promise<WitnessedHead | undefined> {
  let last: WitnessedHead | undefined;
  for await (const record of store.read()) last = witnessedBy(record) ?? last;
  return last;
}
