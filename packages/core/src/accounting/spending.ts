import * as v from "valibot";
import { type Bytes, fromUtf8, utf8 } from "../bytes/index.ts";
import { StorageError } from "../errors/index.ts";
import type { Mechanism, Releases } from "./mechanism.ts";

/** What was spent in one scope of a site. */
export interface ScopeSpending {
  /** By all jobs together, one entry for each mechanism. */
  readonly releases: readonly Releases[];
  /** How often the latest jobs released something: those that go on after a restart. */
  readonly jobs: readonly JobReleases[];
}

/** How often a job released something. */
export interface JobReleases {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Releases of all its mechanisms together count as one, ≥ 1. */
  readonly count: number;
}

/** Keeps what was spent, by scope. */
export interface SpendingStore {
  /** What was written last; `undefined` when nothing was ever spent. @throws StorageError */
  read(scope: string): Promise<Bytes | undefined>;
  /** Durable when it resolves. @throws StorageError */
  write(scope: string, spending: Bytes): Promise<void>;
}

/** Jobs whose releases are remembered by themselves; those of older ones stay in the sum. */
export const MAX_SPENDING_JOBS = 256;
/** Mechanisms of one scope: more different ones are refused. */
export const MAX_SPENDING_MECHANISMS = 1_000;
/** Bytes of what was spent in one scope. */
export const MAX_SPENDING_BYTES = 1_048_576;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));

const mechanism: v.GenericSchema<unknown, Mechanism> = v.variant("kind", [
  v.strictObject({
    kind: v.literal("gaussian"),
    noiseMultiplier: positive,
    samplingRate: v.pipe(positive, v.maxValue(1)),
  }),
  v.strictObject({ kind: v.literal("pure"), epsilon: positive }),
]);

const SpendingSchema = v.strictObject({
  version: v.literal(1),
  releases: v.pipe(v.array(v.strictObject({ mechanism, count })), v.maxLength(MAX_SPENDING_MECHANISMS)),
  jobs: v.pipe(
    v.array(v.strictObject({ jobId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)), count })),
    v.maxLength(MAX_SPENDING_JOBS),
  ),
});

/** As it is kept: JSON, for people who want to look. */
export function encodeSpending({ releases, jobs }: ScopeSpending): Bytes {
  return utf8(`${JSON.stringify({ version: 1, releases, jobs }, undefined, 1)}\n`);
}

/** @throws StorageError `ERR_STORAGE_CORRUPT`: then nothing may be released */
export function decodeSpending(bytes: Bytes): ScopeSpending {
  try {
    if (bytes.byteLength > MAX_SPENDING_BYTES) throw new RangeError("too long");
    const { releases, jobs } = v.parse(SpendingSchema, JSON.parse(fromUtf8(bytes)));
    return { releases, jobs };
  } catch (cause) {
    throw new StorageError("ERR_STORAGE_CORRUPT", "what was spent of a privacy budget cannot be read", {
      cause,
    });
  }
}

/** A store for the life of the process. */
export function memorySpending(): SpendingStore {
  const scopes = new Map<string, Bytes>();
  return {
    read: (scope) => Promise.resolve(scopes.get(scope)),
    write: (scope, spending) => {
      scopes.set(scope, spending);
      return Promise.resolve();
    },
  };
}
