import { describe, expect, test } from "vitest";
import { decodeBody } from "./decomposers.ts";
import {
  openCheckpoint,
  openObject,
  openSigned,
  readError,
  readMessage,
  runningHash,
  type Sides,
  verifyToken,
  type Way,
} from "./envelope.ts";
import { readFields } from "./fields.ts";
import { readFrame } from "./frame.ts";
import { handshake } from "./handshake-vectors.ts";
import { codeOf, JOB, people, server, site, user } from "./people.ts";
import { Records } from "./record.ts";
import { readCredit, readPiece } from "./stream.ts";
import { hex, required, vectors } from "./vectors.ts";

interface SessionVectors {
  readonly frames: readonly {
    readonly from: "client" | "server";
    readonly kind: number;
    readonly innerKind?: number;
    readonly frame: string;
    readonly inner?: string;
  }[];
}

type Readers = Readonly<Record<number, (frame: ReturnType<typeof readFrame>) => unknown>>;

/** Readers of inner frames that need nothing but the frame; REKEY has a kind and nothing else. */
const INNER: Readers = {
  4: ({ payload }) => readWelcome(payload),
  7: (frame) => readPiece(frame, 16),
  9: ({ header, tag, payload }) => expect(Buffer.concat([header, tag, payload])).toHaveLength(0),
  10: readError,
  11: readCredit,
  13: (frame) => [readMessage(frame), decodeBody(frame.payload)],
};

function readWelcome(payload: Buffer): readonly Buffer[] {
  const sides = { sid: hex(handshake.sid), project: people.project, nowMs: people.nowMs };
  return readFields(payload, (at) => {
    const tokens = [at.bytes(), at.bytes()];
    at.list((list) => list.inner());
    at.integer();
    at.list((limits) => limits.integer());
    expect(at.integer()).toBe(people.nowMs);
    at.nullable(() => undefined);
    expect(at.text()).toBe("full");
    return tokens.map((token, index) => verifyToken(token, index === 0 ? site : server, server, sides).ref);
  });
}

describe("the session", () => {
  const { frames } = vectors<SessionVectors>("session");

  test("opens frame by frame, changes of keys included, and is sealed to the same bytes", () => {
    const start = () => ({
      client: new Records(hex(handshake.clientToServerKey)),
      server: new Records(hex(handshake.serverToClientKey)),
    });
    const [receivers, senders] = [start(), start()];
    for (const { from, kind, frame, inner = "" } of frames) {
      if (kind !== 5) continue;
      expect(receivers[from].open(readFrame(hex(frame))).bytes.toString("hex")).toBe(inner);
      expect(senders[from].seal(hex(inner)).toString("hex")).toBe(frame);
    }
    expect(frames.filter(({ innerKind }) => innerKind === 9).map(({ from }) => from)).toContain("client");
  });

  test("takes no frame twice, and none before its turn", () => {
    const [first, second] = frames.filter(({ from, kind }) => from === "client" && kind === 5);
    const receiver = new Records(hex(handshake.clientToServerKey));

    expect(codeOf(() => receiver.open(readFrame(hex(required(second).frame))))).toBe(4014);
    const again = new Records(hex(handshake.clientToServerKey));
    again.open(readFrame(hex(required(first).frame)));
    expect(codeOf(() => again.open(readFrame(hex(required(first).frame))))).toBe(4014);
  });

  test("says what it says: WELCOME, messages, signed messages, objects, chunks, credit, errors", () => {
    const read = new Set<number>();
    const messages: Record<"client" | "server", Buffer[]> = { client: [], server: [] };
    for (const { from, inner, frame, kind } of frames) {
      if (inner === undefined) {
        expect([kind, readPiece(readFrame(hex(frame)), 32).index]).toEqual([14, 0]);
        continue;
      }
      const parts = readFrame(hex(inner));
      const readers = { ...INNER, ...readersOf(from, messages[from]) };
      required(readers[parts.kind])(parts);
      if (parts.kind === 13) messages[from].push(hex(inner));
      read.add(parts.kind);
    }
    expect([4, 6, 7, 8, 9, 10, 11, 12, 13].filter((kind) => !read.has(kind))).toEqual([]);
  });

  /** Readers of the kinds whose meaning depends on who has sent them, and what before. */
  const readersOf = (from: "client" | "server", messages: readonly Buffer[]): Readers => ({
    6: (frame) => readSignedOf(from, frame),
    8: (frame) => readCheckpointOf(from, frame, messages),
    12: (frame) => {
      const at = { project: people.project, self: "site-1", nowMs: people.nowMs };
      expect(openObject(frame, at, { signers: [user], rule: JOB }).signer.name).toBe("lead@example.org");
    },
  });

  function readCheckpointOf(
    from: "client" | "server",
    frame: ReturnType<typeof readFrame>,
    messages: readonly Buffer[],
  ): void {
    const sid = hex(handshake.sid);
    const expected = { count: messages.length, hash: runningHash(sid, messages) };
    openCheckpoint(frame, wayOf(from), { ...expected, author: from === "client" ? site : server });
  }

  const wayOf = (from: "client" | "server"): Way => {
    const sides: Sides = { sid: hex(handshake.sid), project: people.project, nowMs: people.nowMs };
    return from === "client"
      ? { ...sides, from: "site-1", to: "hub", direction: 0 }
      : { ...sides, from: "hub", to: "site-1", direction: 1 };
  };

  function readSignedOf(from: "client" | "server", frame: ReturnType<typeof readFrame>): void {
    const welcome = readFrame(hex(required(frames[0]?.inner))).payload;
    const refs = readWelcome(welcome).map((ref) => ({ ref, expiresAt: people.nowMs + 1 }));
    openSigned(frame, wayOf(from), from === "client" ? site : server, refs);
    decodeBody(frame.payload);
  }
});
