import { type Bytes, concatBytes, equalBytes } from "@photinus/core/bytes";
import { PhotinusError } from "@photinus/core/errors";
import { seededRandom } from "@photinus/core/testing";
import { mutate, type Shape } from "./mutate.ts";

/** A decoder of hostile bytes, and what must hold for whatever it takes. */
export interface FuzzTarget {
  readonly name: string;
  readonly shape: Shape;
  /** Valid inputs, and some that are not. */
  readonly seeds: readonly Bytes[];
  /**
   * Reads the bytes. @returns a word for what was taken
   * @throws PhotinusError: a refusal, as it should be; anything else is a defect
   */
  readonly read: (bytes: Bytes) => Promise<string> | string;
}

/** Something that a decoder must not do. */
export interface Finding {
  readonly target: string;
  /** Kind of the defect: the first line of the error. */
  readonly defect: string;
  /** The smallest input that was found for it. */
  readonly input: Bytes;
}

/** What came of one input. */
interface Outcome {
  /** Inputs with the same signature are alike. */
  readonly signature: string;
  readonly defect: string | undefined;
}

/** How long to go on: to a number of inputs, or until a time. */
export interface FuzzOptions {
  readonly seed: string;
  readonly iterations: number;
  /** Called now and then; true ends it. */
  readonly isOver?: () => boolean;
}

/** What a run found. */
export interface FuzzReport {
  readonly iterations: number;
  readonly findings: readonly Finding[];
  /** Inputs with signatures that no seed had. */
  readonly discovered: readonly Bytes[];
  /** Kinds of outcomes, of seeds and discoveries together. */
  readonly signatures: number;
}

/** Inputs that are kept for further mutation. */
const MAX_CORPUS = 2_000;
const MAX_FINDINGS = 20;

/** Reads one input. A defect is an error that is no refusal, or a refusal that blames ourselves. */
export async function outcomeOf(target: FuzzTarget, input: Bytes): Promise<Outcome> {
  try {
    const taken = await target.read(Uint8Array.from(input));
    return { signature: `taken: ${taken}`, defect: undefined };
  } catch (error) {
    if (error instanceof PhotinusError && error.code !== "ERR_INTERNAL") {
      return { signature: `${error.code} ${outlineOf(error.message)}`, defect: undefined };
    }
    const defect = `${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`.slice(
      0,
      200,
    );
    return { signature: `defect ${outlineOf(defect)}`, defect: outlineOf(defect) };
  }
}

/** A message without what a peer wrote in it: quoted keys, paths, numbers. */
function outlineOf(message: string): string {
  return message
    .replace(/"(?:[^"\\]|\\.)*"/g, "''")
    .replace(/\$\S*/g, "$")
    .replace(/[0-9a-f]*\d[0-9a-f]*/gi, "#")
    .slice(0, 72);
}

/** Mutates what is known, keeps what behaves as nothing did before, and makes what breaks a target small. */
export async function fuzz(target: FuzzTarget, options: FuzzOptions): Promise<FuzzReport> {
  const random = seededRandom(`${options.seed}/${target.name}`);
  const corpus: Bytes[] = [...target.seeds];
  const seen = new Set<string>();
  const discovered: Bytes[] = [];
  const findings: Finding[] = [];
  const judge = async (input: Bytes, isSeed: boolean): Promise<void> => {
    const { signature, defect } = await outcomeOf(target, input);
    if (seen.has(signature)) return;
    seen.add(signature);
    if (!isSeed) discovered.push(input);
    if (!isSeed && corpus.length < MAX_CORPUS) corpus.push(input);
    if (defect !== undefined && findings.length < MAX_FINDINGS) {
      findings.push({ target: target.name, defect, input: await minimized(target, input, defect) });
    }
  };
  for (const seed of target.seeds) await judge(seed, true);
  let iterations = 0;
  while (iterations < options.iterations && options.isOver?.() !== true) {
    iterations += 1;
    // What was found last is tried more often than what is known for long.
    const newest = random.integer(4) === 0 ? Math.max(0, corpus.length - 16) : 0;
    const parent = corpus[newest + random.integer(corpus.length - newest)] ?? new Uint8Array(0);
    await judge(mutate(parent, { shape: target.shape, others: corpus, random }), false);
  }
  return { iterations, findings, discovered, signatures: seen.size };
}

/** The smallest input with the same defect that cutting and zeroing leads to. */
export async function minimized(target: FuzzTarget, input: Bytes, defect: string): Promise<Bytes> {
  const hasDefect = async (bytes: Bytes): Promise<boolean> =>
    (await outcomeOf(target, bytes)).defect === defect;
  let smallest = input;
  for (let size = input.byteLength >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < smallest.byteLength; ) {
      const shorter = concatBytes(smallest.subarray(0, at), smallest.subarray(at + size));
      if (await hasDefect(shorter)) smallest = shorter;
      else at += size;
    }
  }
  for (let at = 0; at < smallest.byteLength; at++) {
    const zeroed = smallest.with(at, 0);
    if (smallest[at] !== 0 && (await hasDefect(zeroed))) smallest = zeroed;
  }
  return smallest;
}

/** What was taken must have these bytes and no others. @throws Error, which is a defect */
export function requireSame(written: Bytes, read: Bytes, what: string): void {
  if (!equalBytes(written, read)) throw new Error(`${what} was read from bytes that are not its own`);
}

const REFUSED_BY_SCHEMA: ReadonlySet<unknown> = new Set(["ERR_MESSAGE_MALFORMED", "ERR_JOB_INVALID"]);

/** A refusal by one schema of many is none of the body; anything else is a defect. */
export function isTaken(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (REFUSED_BY_SCHEMA.has(Reflect.get(Object(error), "code"))) return false;
    throw error;
  }
}
