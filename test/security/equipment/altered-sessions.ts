import type { Bytes } from "@photinus/core/bytes";
import type { TestProject } from "@photinus/core/testing";
import { expect } from "vitest";
import { aVictim, type InnerKind, type Victim } from "./a-victim.ts";
import { withBitTurned } from "./bits.ts";

/** Codes with which a session ends over a frame that was altered on its way. */
const ON_THE_WAY =
  /^ERR_(FRAME_MALFORMED|VERSION_UNSUPPORTED|SEQUENCE_GAP|TOO_LARGE|STREAM_REFUSED|DECODE_REFUSED)$/;

/** Sends one altered frame in a session of its own, and proves that it ended the session and did nothing else. */
export async function endsUntouched(
  project: TestProject,
  kind: InnerKind,
  { alter, label }: { readonly alter: (outer: Bytes) => Bytes; readonly label: string },
): Promise<void> {
  const victim = await aVictim(project);
  const outer = await victim.seal(await victim.valid(kind));
  const before = await victim.state();

  victim.sendOuter(alter(outer));
  await victim.clock.settle();

  expect(victim.server.signal.aborted, label).toBe(true);
  const { code, local } = await victim.server.ended;
  expect(local, label).toBe(true);
  expect(code, label).toMatch(ON_THE_WAY);
  expect(await victim.state(), label).toBe(before);
  expect(victim.clock.pendingTimers, label).toBe(0);
}

/** Bytes of the SESSION frame around a valid frame of a kind. */
export async function outerLength(project: TestProject, kind: InnerKind): Promise<number> {
  const victim = await aVictim(project);
  return (await victim.seal(await victim.valid(kind))).byteLength;
}

/** What came of altered frames that their author sent himself, in a session that encrypts them. */
export interface FromInside {
  /** Sessions that it took. */
  readonly sessions: number;
  /** Codes of refusals and ends, with how many there were of each. */
  readonly codes: ReadonlyMap<string, number>;
}

/**
 * Sends each of the alterations of one valid frame in a session, in a new session after each that ended. Each must be
 * refused, with the state as before; and the frame itself is taken after all of them.
 */
export async function refusesFromInside(
  project: TestProject,
  kind: InnerKind,
  alterations: (valid: Bytes) => readonly (readonly [label: string, bytes: Bytes])[],
): Promise<FromInside> {
  const codes = new Map<string, number>();
  let [victim, valid] = await aFreshOne(project, kind);
  let sessions = 1;
  const count = alterations(valid).length;
  for (let index = 0; index < count; index++) {
    if (victim.server.signal.aborted) {
      [victim, valid] = await aFreshOne(project, kind);
      sessions += 1;
    }
    const [label, altered] = alterations(valid)[index] ?? [];
    if (label === undefined || altered === undefined) continue; // a signature that is shorter by a byte
    const code = await refusalOfOne(victim, altered, `${kind}, ${label}`);
    codes.set(code, (codes.get(code) ?? 0) + 1);
  }
  if (victim.server.signal.aborted) [victim, valid] = await aFreshOne(project, kind);
  const before = await victim.state();
  await victim.sendValid(kind, valid);
  expect(await victim.state(), "the frame itself").not.toBe(before);
  return { sessions, codes };
}

async function aFreshOne(project: TestProject, kind: InnerKind): Promise<[Victim, Bytes]> {
  const victim = await aVictim(project);
  return [victim, await victim.valid(kind)];
}

async function refusalOfOne(victim: Victim, altered: Bytes, label: string): Promise<string> {
  const before = await victim.state();
  const replies = (await victim.replies()).length;
  await victim.sendInner(altered);
  expect(await victim.state(), label).toBe(before);
  if (victim.server.signal.aborted) {
    const { code, local } = await victim.server.ended;
    expect(local, label).toBe(true);
    expect(code, label).not.toBe("ERR_INTERNAL");
    return code;
  }
  const answers = (await victim.replies()).slice(replies);
  expect(answers, label).toHaveLength(1);
  expect(answers[0]?.code, label).not.toBe("ERR_INTERNAL");
  return answers[0]?.code ?? "";
}

/** Every bit of a frame, turned. */
export const turned =
  (bits: (length: number) => readonly number[]) =>
  (valid: Bytes): readonly (readonly [string, Bytes])[] =>
    bits(valid.byteLength).map((bit) => [`bit ${bit}`, withBitTurned(valid, bit)] as const);
