import type { Bytes } from "@photinus/core/bytes";
import { jobAccept, siteReady } from "@photinus/core/message";
import { PREFIX_BYTES } from "@photinus/core/wire";
import { expect, test } from "vitest";
import { atWork, type Ground } from "./equipment/a-ground.ts";
import { flipped, inTheMiddle } from "./equipment/in-the-middle.ts";
import { logIn, refusalOf } from "./equipment/log-in.ts";
import { RawPeer } from "./equipment/raw-peer.ts";

const UNLIMITED = { server: { limits: { upgradesPerMinute: 1_000_000 } } };

/** Every byte of the prefix, and one in `step` of the rest. */
function positionsOf(length: number, step: number): readonly number[] {
  return Array.from({ length }, (_, index) => index).filter(
    (index) => index < PREFIX_BYTES || (index - PREFIX_BYTES) % step === 0,
  );
}

/** Lengths of the handshake's frames in one direction, from a log-in that succeeds. */
async function lengthsOf(ground: Ground, way: "toServer" | "toClient"): Promise<readonly number[]> {
  const lengths: number[] = [];
  const watch = (frame: Bytes): readonly Bytes[] => {
    lengths.push(frame.byteLength);
    return [frame];
  };
  const session = await logIn(
    ground,
    ground.siteIdentity("mallory"),
    inTheMiddle(ground.connector, { [way]: watch }),
  );
  await session.close("ERR_GOING_AWAY");
  return lengths;
}

test.each([
  ["message 1 of the handshake", "toServer", 0],
  ["message 2 of the handshake", "toClient", 0],
  ["message 3 of the handshake", "toServer", 1],
  ["WELCOME", "toClient", 1],
] as const)("an altered byte in %s ends the handshake, wherever it is", async (name, way, altered) => {
  const { ground, job } = await atWork(UNLIMITED);
  const length = (await lengthsOf(ground, way))[altered] ?? 0;
  expect(length).toBeGreaterThan(PREFIX_BYTES);

  for (const position of positionsOf(length, 29)) {
    const meddle = (frame: Bytes, index: number): readonly Bytes[] =>
      index === altered ? [flipped(frame, position)] : [frame];
    const connector = inTheMiddle(ground.connector, { [way]: meddle });
    const refusal = await refusalOf(logIn(ground, ground.siteIdentity("mallory"), connector));
    expect(refusal.code, `byte ${position} of ${length}`).toMatch(/^ERR_/);
  }

  const accepted = (await ground.events("login")).filter(
    ({ actor, outcome }) => actor.endsWith(" mallory") && outcome === "accepted",
  );
  // The log-in that told the lengths. WELCOME leaves when the server has let the client in, which then drops it.
  if (name !== "WELCOME") expect(accepted).toHaveLength(1);
  await ground.survives(job);
});

test("an altered byte in a frame of the session ends that session and no other", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const sample = await RawPeer.connect(ground);
  const body = { runtime: "node", dataNames: ["line"], preparedJobs: [], heldUpdates: [] };
  const { length } = await sample.sendInner(await sample.signed({ type: siteReady.type, body }));

  for (const position of positionsOf(length, 37)) {
    const peer = await RawPeer.connect(ground);
    const inner = await peer.signed({ type: siteReady.type, body });
    peer.sendOuter(flipped(await peer.outcome.sender.seal(inner), position));
    const { code, closeCode } = await peer.end();
    const expected =
      position < PREFIX_BYTES
        ? /^ERR_(FRAME_MALFORMED|VERSION_UNSUPPORTED|SEQUENCE_GAP)$/
        : /^ERR_SEQUENCE_GAP$/;
    expect(code, `byte ${position} of ${length}`).toMatch(expected);
    expect(closeCode).toBeGreaterThanOrEqual(4000);
  }

  await ground.survives(job);
});

test("an altered signature inside an authentic frame ends the session", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const peer = await RawPeer.connect(ground);
  const inner = await peer.signed({ type: jobAccept.type, body: { jobId: job.jobId, terms: "" } });
  const headerLength = new DataView(inner.buffer).getUint16(4);

  await peer.sendInner(flipped(inner, PREFIX_BYTES + headerLength + 5));

  expect(await peer.end()).toMatchObject({ code: "ERR_ENVELOPE_SIGNATURE_INVALID", closeCode: 4017 });
  await ground.survives(job);
});

test("an altered payload under a good signature is refused by its digest, and nothing comes of it", async () => {
  const { ground, job } = await atWork(UNLIMITED);
  const peer = await RawPeer.connect(ground);
  const inner = await peer.signed({ type: jobAccept.type, body: { jobId: job.jobId, terms: "" } });

  await peer.sendInner(flipped(inner, inner.byteLength - 1));

  expect(await peer.refusal()).toBe("ERR_DIGEST_MISMATCH");
  expect((await ground.events("consent")).filter(({ actor }) => actor.endsWith(" mallory"))).toEqual([]);
  await ground.survives(job);
});
