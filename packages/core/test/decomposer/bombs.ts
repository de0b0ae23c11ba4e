import { readFileSync } from "node:fs";
import { type Bytes, concatBytes, fromHex } from "../../src/bytes/index.ts";
import { builtInRegistry, decode } from "../../src/decomposer/index.ts";

// A process of its own: it decodes one bomb after another and prints by how much its memory has grown at most.

/** The largest payload that fits into a frame. */
const PAYLOAD_BYTES = 1_048_576;
const registry = builtInRegistry();

/** `head` and then `unit` until the payload is full; the declared length is of an array of so many values. */
function arrayOf(unit: string): Bytes {
  const one = fromHex(unit);
  const count = Math.min(999_990, Math.floor((PAYLOAD_BYTES - 5) / one.byteLength));
  const bytes = new Uint8Array(5 + count * one.byteLength);
  new DataView(bytes.buffer).setUint32(1, count);
  bytes[0] = 0xdd;
  for (let index = 0; index < count; index++) bytes.set(one, 5 + index * one.byteLength);
  return bytes;
}

/** The same head again and again until the payload is full. */
function nested(head: string): Bytes {
  const one = fromHex(head);
  return Uint8Array.from({ length: PAYLOAD_BYTES }, (_, index) => one[index % one.byteLength] ?? 0);
}

/** Bombs by name: first those that are refused, then values at the limits. */
const BOMBS: Readonly<Record<string, () => Bytes>> = {
  "four thousand million values declared": () => concatBytes(fromHex("ddffffffff"), new Uint8Array(1000)),
  "four thousand million pairs declared": () => concatBytes(fromHex("dfffffffff"), new Uint8Array(1000)),
  "four thousand million bytes declared": () => concatBytes(fromHex("c6ffffffff"), new Uint8Array(1000)),
  "a million arrays in each other": () => nested("91"),
  "arrays that each declare all that is left": () => nested("dd00010000"),
  "a million keys": () => concatBytes(fromHex("df0007a120"), new Uint8Array(PAYLOAD_BYTES - 5).fill(0xa0)),
  "more than a million values": () =>
    concatBytes(fromHex("dd000ffff0"), new Uint8Array(PAYLOAD_BYTES).fill(0xc0)),
  "a million nils": () => arrayOf("c0"),
  "a million empty arrays": () => arrayOf("90"),
  "a million empty maps": () => arrayOf("80"),
  "a million empty strings": () => arrayOf("a0"),
  "half a million empty byte strings": () => arrayOf("c400"),
  "a hundred thousand numbers": () => arrayOf("cb3fe0000000000000"),
  "two hundred thousand sets": () => arrayOf("c70301920390"),
  "two hundred thousand dates": () => arrayOf("c70301920201"),
  "a hundred and fifty thousand Float64Arrays": () => arrayOf("d6019212c400"),
  "fifty thousand tensors": () => arrayOf("c70b01920593a36633329100c400"),
};

/** What became of a bomb. */
export interface BombOutcome {
  readonly name: string;
  /** "taken", or the code of the refusal. */
  readonly outcome: string;
  /** By how much the process has grown at most since it began to decode, MiB. */
  readonly grownMiB: number;
}

function decodeBomb(bomb: Bytes): string {
  try {
    decode(bomb, registry);
    return "taken";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : "another error";
  }
}

/** Largest resident set since this program began, KiB (proc(5)); what getrusage tells begins with that of the parent. */
const peakKiB = (): number =>
  Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);

function main(): void {
  const bombs = Object.entries(BOMBS).map(([name, make]) => [name, make()] as const);
  decode(fromHex("9301a161c400"), registry); // what is loaded late is loaded
  const before = peakKiB();
  const outcomes = bombs.map(([name, bomb]): BombOutcome => {
    const outcome = decodeBomb(bomb);
    const grownMiB = Math.ceil((peakKiB() - before) / 1024);
    globalThis.gc?.();
    return { name, outcome, grownMiB };
  });
  process.stdout.write(JSON.stringify(outcomes));
}

main();
