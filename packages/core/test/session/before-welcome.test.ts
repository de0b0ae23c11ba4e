import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { writeError } from "../../src/envelope/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { acceptSession, connectSession } from "../../src/session/index.ts";
import { sessionPairParts, testProject } from "../../src/testing/index.ts";
import { FRAME_KIND, RecordSender, writeFrame } from "../../src/wire/index.ts";

// Frames that belong into a session, or end one, before there is one.

const crypto = webCrypto();
const project = await testProject();

/** SESSION under a key that nobody agreed on, with something honest inside. */
async function aSessionFrame(): Promise<Bytes> {
  const key = await crypto.importAesGcmKey(new Uint8Array(32));
  return await new RecordSender(key, { crypto }).seal(writeError({ code: "ERR_BUSY", detail: "" }));
}

const CLEAR: readonly (readonly [name: string, frame: () => Promise<Bytes>])[] = [
  ["a SESSION frame", aSessionFrame],
  ["an ERROR", async () => writeError({ code: "ERR_SUPERSEDED", detail: "go away" })],
  ["an ERROR of a revoked certificate", async () => writeError({ code: "ERR_FORBIDDEN", detail: "" })],
  ["a REKEY", async () => writeFrame(FRAME_KIND.rekey, {})],
  ["a CHECKPOINT", async () => writeFrame(FRAME_KIND.checkpoint, { payload: new Uint8Array(9) })],
  ["a WELCOME in clear", async () => writeFrame(FRAME_KIND.welcome, { payload: new Uint8Array(9) })],
];

/** @param index of the frame that is replaced @returns what both sides end with */
async function replacing(
  side: "toServer" | "toClient",
  index: number,
  frame: Bytes,
): Promise<readonly unknown[]> {
  const transport = { [side]: (honest: Bytes, at: number) => (at === index ? frame : honest) };
  const parts = await sessionPairParts({ project, transport });
  const both = await Promise.allSettled([
    connectSession(parts.connections.client, parts.connecting, parts.modules),
    acceptSession(parts.connections.server, parts.accepting, parts.modules),
  ]);
  return both.map((outcome) => (outcome.status === "fulfilled" ? "a session" : outcome.reason.code));
}

describe.each(CLEAR)("%s", (_, frame) => {
  test.each([0, 1])("in place of message %i + 1 of the client opens no session", async (index) => {
    const [, server] = await replacing("toServer", index, await frame());

    expect(server).toMatch(/^ERR_(AUTH_FAILED|FRAME_MALFORMED)$/);
  });

  test("in place of message 2 opens no session", async () => {
    const [client] = await replacing("toClient", 0, await frame());

    expect(client).toMatch(/^ERR_(AUTH_FAILED|FRAME_MALFORMED)$/);
  });

  test("in place of WELCOME opens no session at the client", async () => {
    const [client] = await replacing("toClient", 1, await frame());

    expect(client).toMatch(/^ERR_(AUTH_FAILED|FRAME_MALFORMED|SEQUENCE_GAP)$/);
  });
});

test.each([
  ["ERR_BUSY", 5000],
  ["ERR_RATE_LIMITED", 5000],
  ["ERR_GOING_AWAY", 5000],
] as const)(
  "%s before the session is a hint of when to try again, and no more",
  async (code, retryAfterMs) => {
    const [client] = await replacing("toClient", 0, writeError({ code, retryAfterMs, detail: "" }));

    expect(client).toBe(code);
  },
);
