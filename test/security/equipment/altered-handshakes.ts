import type { Bytes } from "@photinus/core/bytes";
import { PhotinusError } from "@photinus/core/errors";
import { ChainCache } from "@photinus/core/pki";
import { acceptSession, connectSession, type Session } from "@photinus/core/session";
import { type SessionPairParts, sessionPairParts, type TestProject } from "@photinus/core/testing";
import { nodeCrypto } from "@photinus/node-platform";
import { expect } from "vitest";

const crypto = nodeCrypto();
/** Chains that were verified once: a thousand handshakes need not verify them again. */
const chainCache = new ChainCache();

/** One frame of a handshake by its direction and its place there. */
export interface HandshakePart {
  readonly name: string;
  readonly way: "toServer" | "toClient";
  readonly index: number;
}

/** All of them, in order. */
export const HANDSHAKE_PARTS: readonly HandshakePart[] = [
  { name: "message 1 of the handshake", way: "toServer", index: 0 },
  { name: "message 2 of the handshake", way: "toClient", index: 0 },
  { name: "message 3 of the handshake", way: "toServer", index: 1 },
  { name: "WELCOME", way: "toClient", index: 1 },
];

type Altering = (frame: Bytes) => readonly Bytes[];

/** How a handshake ended for both sides. */
interface Attempt {
  readonly client: Outcome;
  readonly server: Outcome;
  /** Names that were asked to be admitted. */
  readonly admitted: readonly string[];
  readonly parts: SessionPairParts;
}

type Outcome = { readonly session: Session } | { readonly error: unknown };

async function attempt(
  project: TestProject,
  { way, index }: HandshakePart,
  alter: Altering,
): Promise<Attempt> {
  const admitted: string[] = [];
  const parts = await sessionPairParts({
    project,
    crypto,
    modules: { chainCache },
    server: { admit: ({ participant }) => void admitted.push(participant.name) },
    transport: { [way]: (frame: Bytes, place: number) => (place === index ? alter(frame) : frame) },
  });
  const { connections, connecting, accepting, modules } = parts;
  const outcomeOf = async (opening: Promise<Session>): Promise<Outcome> => {
    try {
      return { session: await opening };
    } catch (error) {
      return { error };
    }
  };
  const [client, server] = await Promise.all([
    outcomeOf(connectSession(connections.client, connecting, modules)),
    outcomeOf(acceptSession(connections.server, accepting, modules)),
  ]);
  return { client, server, admitted, parts };
}

/** Bytes of a frame in a handshake that succeeds. @throws RangeError when it has no such frame */
export async function lengthOf(project: TestProject, part: HandshakePart): Promise<number> {
  let length = 0;
  await attempt(project, part, (frame) => {
    length = frame.byteLength;
    return [frame];
  });
  if (length === 0) throw new RangeError(`no ${part.name}`);
  return length;
}

/** Alters one frame, and proves that no session came about and that both sides say so by an error of their own. */
export async function nobodyComesIn(
  project: TestProject,
  part: HandshakePart,
  { alter, label }: { readonly alter: Altering; readonly label: string },
): Promise<void> {
  const { client, server, admitted, parts } = await attempt(project, part, alter);

  expect("error" in client && client.error, label).toBeInstanceOf(PhotinusError);
  expect("error" in client && client.error, label).not.toMatchObject({ code: "ERR_INTERNAL" });
  if (part.name === "WELCOME") {
    // The server has let somebody in who proved who he is; it learns that he is gone.
    if (!("session" in server)) throw new Error(`${label}: the server let nobody in`);
    server.session.receive({ routes: [] });
    await parts.clock.settle();
    expect(server.session.signal.aborted, label).toBe(true);
  } else {
    expect("error" in server && server.error, label).toBeInstanceOf(PhotinusError);
    expect("error" in server && server.error, label).not.toMatchObject({ code: "ERR_INTERNAL" });
    expect(admitted, label).toEqual([]);
  }
  await parts.clock.advance(0); // a session that nobody reads waits one turn for who will
  expect(parts.clock.pendingTimers, label).toBe(0);
}
