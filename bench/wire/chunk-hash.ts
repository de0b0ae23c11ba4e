import { hash } from "node:crypto";
import type { Bytes } from "@photinus/core/bytes";
import {
  bytesSink,
  bytesSource,
  DEFAULT_CHUNK_BYTES,
  IncomingStream,
  makeManifest,
} from "@photinus/core/stream";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import type { Metric } from "../benchmark.ts";
import { bytesOf, RESNET18 } from "../federation/model.ts";
import { comparePairs, type PairedComparison, type Work } from "../paired.ts";
import type { PartOptions } from "./part.ts";

/** GB/s of CPU time. */
const TARGET = 0.9;
const BYTES = bytesOf(RESNET18);

/**
 * Hashing a large value chunk by chunk: at its sender (the manifest that is signed) and at its receiver (each chunk
 * against its leaf, and into memory), against SHA-256 of the same chunks alone.
 */
export async function chunkHash({ pairs, signal }: PartOptions): Promise<Readonly<Record<string, Metric>>> {
  const modules = { crypto: nodeCrypto(), clock: systemClock() };
  const update: Bytes = new Uint8Array(BYTES).fill(7);
  const chunks: readonly Bytes[] = Array.from(
    { length: Math.ceil(BYTES / DEFAULT_CHUNK_BYTES) },
    (_, index) => update.subarray(index * DEFAULT_CHUNK_BYTES, (index + 1) * DEFAULT_CHUNK_BYTES),
  );
  const raw: Work = () => {
    for (const chunk of chunks) hash("sha256", chunk, "buffer");
  };
  const source = bytesSource(update);
  const manifest = await makeManifest(source, { totalBytes: BYTES }, modules);
  const send: Work = async () => {
    await makeManifest(source, { totalBytes: BYTES }, modules);
  };
  const { sink } = bytesSink(BYTES);
  const receive: Work = async () => {
    const windowBytes = 8 * 1_048_576;
    const stream = new IncomingStream(
      manifest,
      { sink, windowBytes },
      { ...modules, grant: () => undefined },
    );
    stream.begin();
    for (const [index, data] of chunks.entries()) {
      while (stream.unusedCredit < data.byteLength) await modules.clock.yield();
      stream.take({ streamId: manifest.streamId, index, data });
    }
    await stream.done;
  };
  const options = { pairs, warmUps: 2, signal };
  return {
    ...metricsOf("chunkHash", await comparePairs(send, raw, options)),
    ...metricsOf("chunkVerify", await comparePairs(receive, raw, options)),
  };
}

function metricsOf(
  name: string,
  { candidate, baseline, ratio }: PairedComparison,
): Readonly<Record<string, Metric>> {
  const rate = (ms: number): number => BYTES / ms / 1e6;
  const value = rate(candidate.median);
  return {
    [`${name}GBps`]: {
      value,
      unit: "GB/s",
      reference: TARGET,
      ratio: value / TARGET,
      spread: candidate.spread,
    },
    [`${name}RawGBps`]: { value: rate(baseline.median), unit: "GB/s", spread: baseline.spread },
    [`${name}OverRaw`]: { value: ratio.median, unit: "x", spread: ratio.spread },
  };
}
