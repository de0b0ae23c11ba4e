import { type Bytes, fromBase64Url, toBase64Url } from "../bytes/index.ts";
import { EnvelopeError, JobError, WireError } from "../errors/index.ts";
import type { CheckpointStore } from "../job/index.ts";
import type { Clock, Logger, Timer } from "../platform/index.ts";
import { ChunkSet, chunkLength, type StreamManifest } from "../stream/index.ts";
import type { PartEntry, ResumeRecord } from "./resume-record.ts";
import type { ResumeRecords, StoredPart } from "./resume-records.ts";
import type { ParkedSlot, UploadSlot, UploadSlots } from "./upload-slots.ts";

/** An upload, by the message that announced it. */
export interface UploadId {
  /** SAN URI of the site. */
  readonly urn: string;
  /** Id of the message, hex. */
  readonly messageId: string;
  /** SHA-256 of the message's payload, hex. */
  readonly payloadDigest: string;
  /** Job that it is for. */
  readonly jobId: string;
  /** Task that it is for. */
  readonly taskId: string;
  /** Id of the stream, hex. */
  readonly streamId: string;
  /** What was announced. */
  readonly manifest: StreamManifest;
  /** Whose turn for a slot it uses. Default: the job's. */
  readonly turn?: string;
}

/** A slot and which chunks of the upload are in it. */
export interface Staged {
  /** Where the chunks are, each at its place. */
  readonly slot: UploadSlot;
  /** Chunks that are there; verified each. */
  readonly received: ChunkSet;
}

interface Kept extends Staged {
  readonly id: UploadId;
  readonly untilMs: number;
  parked: ParkedSlot | undefined;
  /** Nobody waits for it any more, or it goes on. */
  isOver: boolean;
}

/** What {@link KeptUploads} works with. */
export interface KeptUploadsModules {
  /** Memory for uploads. */
  readonly slots: UploadSlots;
  /** Sealed blobs. */
  readonly checkpoints: CheckpointStore;
  /** What lasts of the sessions. */
  readonly records: ResumeRecords;
  /** Time. */
  readonly clock: Clock;
  /** Where log lines go. */
  readonly logger: Logger;
}

/**
 * The verified chunks of uploads that were interrupted, for as long as their task waits: in their slot while nobody
 * else needs it, otherwise, and when the server stops, once in a sealed blob that the participant's record names.
 */
export class KeptUploads {
  readonly #modules: KeptUploadsModules;
  readonly #kept = new Map<string, Kept>();
  /** Jobs of which an earlier process spilled uploads: their sites may never come back. */
  readonly #inherited = new Set<string>();
  /** When the next of what is kept is over. */
  #expiry: { readonly atMs: number; readonly timer: Timer } | undefined;
  #isStopped = false;

  constructor(modules: KeptUploadsModules) {
    this.#modules = modules;
  }

  /**
   * A slot for an upload, with the chunks that an earlier session brought.
   * @throws the signal's reason
   */
  async begin(id: UploadId, signal: AbortSignal): Promise<Staged> {
    const kept = this.#kept.get(keyOf(id));
    const slot = kept?.parked?.reclaim();
    if (kept !== undefined && slot !== undefined) {
      this.#forget(kept);
      return { slot, received: kept.received };
    }
    const fresh = await this.#modules.slots.acquire(id.turn ?? id.jobId, id.manifest.totalBytes, signal);
    try {
      await kept?.parked?.spilled;
      return { slot: fresh, received: await this.#restore(id, fresh.bytes) };
    } catch (error) {
      fresh.release();
      throw error;
    }
  }

  /** An upload was interrupted: what is there is kept, one upload a task. @param keepMs for how long at most */
  keep(id: UploadId, { slot, received }: Staged, keepMs: number): void {
    if (received.count === 0) {
      slot.release();
      return;
    }
    this.#dropInMemory(({ id: other }) => other.urn === id.urn && other.taskId === id.taskId);
    const kept: Kept = {
      ...{ id, slot, received },
      untilMs: Math.trunc(this.#modules.clock.now() + keepMs),
      parked: undefined,
      isOver: false,
    };
    this.#kept.set(keyOf(id), kept);
    kept.parked = slot.park((bytes) => this.#spill(kept, bytes)); // at once, when somebody waits for the slot
    this.#wakeAt(kept.untilMs);
  }

  /** SHA-256 of the payload of a message of which chunks are kept, hex. */
  digestOf(urn: string, messageId: string): string | undefined {
    const kept = [...this.#kept.values()].find(({ id }) => id.urn === urn && id.messageId === messageId);
    return kept?.id.payloadDigest ?? this.#modules.records.find(urn)?.digestOf(messageId);
  }

  /** The process ends: what is in memory goes to disk, for the next one. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#modules.slots.spillAll();
    this.#expiry?.timer.cancel();
    this.#expiry = undefined;
  }

  /** Uploads that an earlier session of a participant began, by stream and chunks. */
  ofParticipant(urn: string): readonly { readonly streamId: string; readonly chunks: number }[] {
    const inMemory = [...this.#kept.values()].filter(({ id }) => id.urn === urn);
    const stored = this.#modules.records.find(urn)?.parts ?? [];
    return [
      ...inMemory.map(({ id: { streamId }, received }) => ({ streamId, chunks: received.count })),
      ...stored.map(({ streamId, received }) => ({ streamId, chunks: bitsOf(fromBase64Url(received)) })),
    ];
  }

  /** A participant starts fresh: nothing of it goes on. */
  dropParticipant(urn: string): void {
    this.#dropInMemory(({ id }) => id.urn === urn);
  }

  /** Blobs that no record names any more. */
  async deleteBlobs(blobs: readonly string[]): Promise<void> {
    for (const blob of blobs) await this.#modules.checkpoints.delete(blob);
  }

  /** A task is over. */
  async dropTask(taskId: string): Promise<void> {
    this.#dropInMemory(({ id }) => id.taskId === taskId);
    await this.#dropStored(this.#modules.records.openParts().filter(({ part }) => part.taskId === taskId));
  }

  /** One upload is over. What others have under the same ids, which its participant chose, stays. */
  async dropUpload({ urn, messageId, streamId }: UploadId): Promise<void> {
    const isIt = (entry: Pick<PartEntry, "messageId" | "streamId">): boolean =>
      entry.messageId === messageId && entry.streamId === streamId;
    this.#dropInMemory(({ id }) => id.urn === urn && isIt(id));
    const stored = this.#modules.records.openParts();
    await this.#dropStored(stored.filter(({ urn: owner, part }) => owner === urn && isIt(part)));
  }

  /** A job has ended. */
  async dropJob(jobId: string): Promise<void> {
    this.#dropInMemory(({ id }) => id.jobId === jobId);
    const { records } = this.#modules;
    const stored = this.#inherited.delete(jobId) ? await records.storedParts() : records.openParts();
    await this.#dropStored(stored.filter(({ part }) => part.jobId === jobId));
  }

  /** Deletes what earlier processes left and nobody came back for in time. */
  async sweep(): Promise<void> {
    const nowMs = this.#modules.clock.now();
    const stored = await this.#modules.records.storedParts();
    for (const { part } of stored) this.#inherited.add(part.jobId);
    await this.#dropStored(stored.filter(({ part }) => part.untilMs <= nowMs));
  }

  /** What nobody came back for in time is let go, wherever it lies. */
  async #expire(): Promise<void> {
    const { clock, records } = this.#modules;
    const nowMs = clock.now();
    this.#dropInMemory(({ untilMs }) => untilMs <= nowMs);
    await this.#dropStored(records.openParts().filter(({ part }) => part.untilMs <= nowMs));
    const next = [...this.#kept.values(), ...records.openParts().map(({ part }) => part)];
    if (next.length > 0) this.#wakeAt(Math.min(...next.map(({ untilMs }) => untilMs)));
  }

  #wakeAt(atMs: number): void {
    const { clock, logger } = this.#modules;
    if (this.#isStopped || (this.#expiry !== undefined && this.#expiry.atMs <= atMs)) return;
    this.#expiry?.timer.cancel();
    const timer = clock.after(Math.max(0, atMs - clock.now()), () => {
      this.#expiry = undefined;
      this.#expire().catch((error: unknown) => logger.error("half-done uploads stay on disk", error));
    });
    this.#expiry = { atMs, timer };
  }

  async #dropStored(parts: readonly StoredPart[]): Promise<void> {
    for (const stored of parts) {
      await this.#modules.records.dropPart(stored);
      await this.#modules.checkpoints.delete(stored.part.blob);
    }
  }

  #dropInMemory(isOver: (kept: Kept) => boolean): void {
    for (const kept of [...this.#kept.values()].filter(isOver)) {
      this.#forget(kept);
      kept.parked?.drop();
    }
  }

  #forget(kept: Kept): void {
    kept.isOver = true;
    this.#kept.delete(keyOf(kept.id));
  }

  async #spill(kept: Kept, bytes: Bytes): Promise<void> {
    const { checkpoints, records, logger } = this.#modules;
    const { id, received, untilMs } = kept;
    const { urn, manifest, turn: _turn, ...names } = id;
    try {
      const blob = await checkpoints.put(packed(bytes, manifest, received));
      const record = records.find(urn);
      if (kept.isOver || record === undefined) {
        await checkpoints.delete(blob);
        return;
      }
      const part = { ...names, received: toBase64Url(received.bitmap()), blob, untilMs };
      await this.deleteBlobs(await this.#name(part, record));
    } catch (error) {
      logger.warn("a half-done upload could not be kept", { site: urn, detail: String(error) });
    } finally {
      if (this.#kept.get(keyOf(id)) === kept) this.#kept.delete(keyOf(id));
    }
  }

  /** Names a blob in the record; one that no record names would stay on disk for good. @returns blobs that it replaces */
  async #name(part: PartEntry, record: ResumeRecord): Promise<readonly string[]> {
    try {
      return await record.keepPart(part);
    } catch (error) {
      await this.#modules.checkpoints.delete(part.blob);
      throw error;
    }
  }

  /** What was spilled of an upload, back at its place; the blob has served. */
  async #restore(id: UploadId, bytes: Bytes): Promise<ChunkSet> {
    const { checkpoints, records, logger } = this.#modules;
    const record = records.find(id.urn);
    const part = record?.parts.find(
      (entry) => entry.messageId === id.messageId && entry.streamId === id.streamId,
    );
    const none = new ChunkSet(id.manifest);
    if (record === undefined || part === undefined || part.payloadDigest !== id.payloadDigest) return none;
    try {
      const received = ChunkSet.fromBitmap(id.manifest, fromBase64Url(part.received));
      await checkpoints.get(part.blob, bytes.subarray(0, received.byteLength));
      unpack(bytes, id.manifest, received);
      await record.dropParts([part]);
      await checkpoints.delete(part.blob);
      return received;
    } catch (error) {
      if (!isLost(error)) throw error;
      logger.warn("a half-done upload could not be read", { site: id.urn, detail: error.message });
      return none;
    }
  }
}

/** What is not there any more, or not ours to go on with, is sent anew. */
function isLost(error: unknown): error is Error {
  return error instanceof JobError || error instanceof EnvelopeError || error instanceof WireError;
}

/** Chunks belong to the manifest that was signed with them: another payload under the id finds none. */
const keyOf = ({ urn, messageId, payloadDigest, streamId }: UploadId): string =>
  `${messageId} ${payloadDigest} ${streamId} ${urn}`;

/** The chunks that are there, moved together at the beginning of `bytes`. */
function packed(bytes: Bytes, manifest: StreamManifest, received: ChunkSet): Bytes {
  let end = 0;
  for (const index of received.indices()) {
    const start = index * manifest.chunkBytes;
    const length = chunkLength(manifest, index);
    bytes.copyWithin(end, start, start + length);
    end += length;
  }
  return bytes.subarray(0, end);
}

/** The reverse of {@link packed}: the last chunk is moved first, so that none lies in another's way. */
function unpack(bytes: Bytes, manifest: StreamManifest, received: ChunkSet): void {
  let end = received.byteLength;
  for (const index of [...received.indices()].reverse()) {
    const length = chunkLength(manifest, index);
    bytes.copyWithin(index * manifest.chunkBytes, end - length, end);
    end -= length;
  }
}

function bitsOf(bitmap: Bytes): number {
  let bits = 0;
  for (const byte of bitmap) for (let rest = byte; rest > 0; rest &= rest - 1) bits += 1;
  return bits;
}
