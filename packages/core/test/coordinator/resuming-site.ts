import type { Bytes } from "../../src/bytes/index.ts";
import type { JobBundle } from "../../src/job/index.ts";
import { type Connection, type Connector, sleep } from "../../src/platform/index.ts";
import type { Site, Trainer } from "../../src/site/index.ts";
import { readBlobChunk } from "../../src/stream/index.ts";
import { ParameterSet, Tensor } from "../../src/tensor/index.ts";
import { FRAME_KIND, readFrame } from "../../src/wire/index.ts";
import { aBundle, type TestFederation } from "./a-federation.ts";

/** Chunks of one update. */
export const CHUNKS = 6;
const CHUNK_BYTES = 65_536;
const FLOATS = (CHUNKS * CHUNK_BYTES) / 4;

/** A job whose updates have {@link CHUNKS} chunks. */
export function aChunkedBundle(workflow: Parameters<typeof aBundle>[0] = {}): JobBundle {
  return {
    ...aBundle(workflow),
    parameters: [{ name: "w", dtype: "f32", shape: [FLOATS], trainable: true }],
    initialParameters: new ParameterSet([["w", Tensor.f32([FLOATS], new Float32Array(FLOATS))]]),
  };
}

/** Submits {@link aChunkedBundle} as the lead. @returns its id */
export async function submitChunked(
  federation: TestFederation,
  workflow: Parameters<typeof aBundle>[0] = {},
): Promise<string> {
  const user = await federation.user();
  const { jobId } = await federation.clock.runUntil(user.submit(aChunkedBundle(workflow)));
  await user.close();
  return jobId;
}

/** A site whose line the test breaks, and what went over it. */
export interface ResumingSite {
  readonly site: Site;
  /** Chunks that reached the server over each connection, in the order of the connections. */
  readonly chunks: readonly number[];
  /** Chunks of model versions that reached the site over each connection: their indices as they came. */
  readonly blobChunks: readonly (readonly number[])[];
  /** How often it trained. */
  readonly trainings: () => number;
  /** How often it evaluated. */
  readonly evaluations: () => number;
  readonly line: {
    /** False: connecting fails. */
    isReachable: boolean;
    /** After so many chunks on a connection, nothing more of the site gets through. */
    limit: number;
    /** After so many chunks on a connection, nothing more of the server gets through. */
    deafAfter: number;
    /** After so many chunks of model versions on a connection, nothing more of the server gets through. */
    blobLimit: number;
    /** Time that each chunk of the site takes; what it sends meanwhile waits behind it. */
    chunkMs: number;
    /** What an evaluation waits for before it ends. */
    evaluation: Promise<void>;
  };
  /** The line breaks, and works again when the site connects anew, which it does by itself. */
  drop(): Promise<void>;
  /** The site notices the end of its connection, the server does not. */
  forget(): Promise<void>;
}

/** A line of somebody that the test breaks, and what went over it. */
export interface LossyLine {
  /** Connects over the line. */
  readonly connector: Connector;
  /** See {@link ResumingSite.chunks}. */
  readonly chunks: readonly number[];
  /** See {@link ResumingSite.blobChunks}. */
  readonly blobChunks: readonly (readonly number[])[];
  /** See {@link ResumingSite.line}. */
  readonly limits: LineLimits;
  /** See {@link ResumingSite.drop}. */
  drop(): Promise<void>;
  /** See {@link ResumingSite.forget}. */
  forget(): Promise<void>;
}

interface LineLimits {
  isReachable: boolean;
  limit: number;
  deafAfter: number;
  blobLimit: number;
  chunkMs: number;
}

/** The line of a participant, whole until the test limits it. */
export function lossyLine(federation: TestFederation, name: string): LossyLine {
  const chunks: number[] = [];
  const blobChunks: number[][] = [];
  const limits: LineLimits = {
    isReachable: true,
    limit: Number.POSITIVE_INFINITY,
    deafAfter: Number.POSITIVE_INFINITY,
    blobLimit: Number.POSITIVE_INFINITY,
    chunkMs: 0,
  };
  let hangUp = (): void => undefined;
  const inner = federation.connector(name);
  const connector: Connector = {
    connect: async (signal) => {
      if (!limits.isReachable) throw new Error("the line is down");
      const connection = await inner.connect(signal);
      const index = chunks.push(0) - 1;
      const blobs: number[] = [];
      blobChunks.push(blobs);
      let isBroken = false;
      let [waiting, last]: [number, Promise<void>] = [0, Promise.resolve()];
      const gone = new Promise<{ closeCode: number; reason: string }>((resolve) => {
        hangUp = () => resolve({ closeCode: 1006, reason: "" });
      });
      return {
        remoteAddress: connection.remoteAddress,
        get bufferedBytes() {
          return connection.bufferedBytes;
        },
        frames: heard(connection, {
          gone,
          isDeaf: (frame) => {
            if ((chunks[index] ?? 0) >= limits.deafAfter) return true;
            const chunk = modelChunk(frame);
            if (chunk === undefined) return false;
            if (blobs.length >= limits.blobLimit) return true;
            blobs.push(chunk);
            return false;
          },
        }),
        ended: Promise.race([connection.ended, gone]),
        send: (frame, onSent) => {
          const isChunk = frame.byteLength > CHUNK_BYTES;
          if (isChunk && (chunks[index] ?? 0) >= limits.limit) isBroken = true;
          const deliver = (): void => {
            if (isBroken) return;
            if (isChunk) chunks[index] = (chunks[index] ?? 0) + 1;
            connection.send(frame, onSent);
          };
          if (waiting === 0 && !(isChunk && limits.chunkMs > 0)) return deliver();
          waiting += 1;
          last = last
            .then(() => (isChunk && !isBroken ? sleep(federation.clock, limits.chunkMs) : undefined))
            .then(deliver)
            .finally(() => {
              waiting -= 1;
            });
        },
        drained: () => connection.drained(),
        close: (code, reason) => {
          isBroken = true;
          connection.close(code, reason);
        },
      };
    },
  };
  return {
    connector,
    chunks,
    blobChunks,
    limits,
    drop: async () => {
      await federation.clock.settle();
      limits.limit = Number.POSITIVE_INFINITY;
      limits.deafAfter = Number.POSITIVE_INFINITY;
      limits.blobLimit = Number.POSITIVE_INFINITY;
      federation.connections.get(name)?.cut();
      await federation.clock.settle();
    },
    forget: async () => {
      hangUp();
      await federation.clock.settle();
    },
  };
}

/** A real site that adds `value` to every weight, over a line that breaks where the test says. */
export function resumingSite(federation: TestFederation, name: string, value: number): ResumingSite {
  const { connector, chunks, blobChunks, limits, drop, forget } = lossyLine(federation, name);
  const line = Object.assign(limits, { evaluation: Promise.resolve() });
  let trained = 0;
  let evaluated = 0;
  const site = federation.site(name, {
    modules: {
      connector,
      createTrainer: () =>
        addingTrainer(value, {
          onTrain: () => {
            trained += 1;
          },
          onEvaluate: () => {
            evaluated += 1;
            return line.evaluation;
          },
        }),
    },
  });
  return {
    site,
    chunks,
    blobChunks,
    trainings: () => trained,
    evaluations: () => evaluated,
    line,
    drop,
    forget,
  };
}

async function* heard(
  connection: Connection,
  { gone, isDeaf }: { gone: Promise<unknown>; isDeaf: (frame: Bytes) => boolean },
): AsyncGenerator<Bytes, void, undefined> {
  const frames = connection.frames[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([frames.next(), gone.then(() => undefined)]);
    if (next === undefined || next.done === true) return;
    if (!isDeaf(next.value)) yield next.value;
  }
}

/** Index of the chunk that a BLOB frame of a model brings; the graph of these jobs is one small chunk. */
function modelChunk(bytes: Bytes): number | undefined {
  const frame = readFrame(bytes);
  if (frame.kind !== FRAME_KIND.blob || frame.payload.byteLength < CHUNK_BYTES) return undefined;
  return readBlobChunk(frame).index;
}

interface Hooks {
  readonly onTrain: () => void;
  readonly onEvaluate: () => Promise<void>;
}

function addingTrainer(value: number, { onTrain, onEvaluate }: Hooks): Trainer {
  return {
    prepare: () => Promise.resolve({ device: "cpu", trainingExamples: 1, heldOutExamples: 1 }),
    evaluate: async () => {
      await onEvaluate();
      return { loss: 1, accuracy: 0, exampleCount: 1 };
    },
    train: () => {
      onTrain();
      const delta = new ParameterSet([["w", Tensor.f32([FLOATS], new Float32Array(FLOATS).fill(value))]]);
      return Promise.resolve({ delta, exampleCount: 1, loss: 1, steps: 1 });
    },
    close: () => Promise.resolve(),
  };
}
