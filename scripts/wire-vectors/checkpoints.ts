import { type Bytes, toHex } from "../../packages/core/src/bytes/index.ts";
import { builtInRegistry, encode } from "../../packages/core/src/decomposer/index.ts";
import {
  type Checkpoint,
  openCheckpoint,
  runningHash,
  sealCheckpoint,
  writeMessage,
} from "../../packages/core/src/envelope/index.ts";
import { readFrame } from "../../packages/core/src/wire/index.ts";
import { PROJECT, participants } from "./participants.ts";
import { wireCodeOfRefusal } from "./refusal.ts";

const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);
const SID = fill(32, 0x51);

/** MESSAGE frames, the CHECKPOINT over them, and what is refused. */
export async function checkpointVectors(): Promise<object> {
  const { fixed, site, user } = await participants();
  const { crypto } = fixed;
  const messages = [0, 1, 2].map((index) =>
    writeMessage(
      { type: 27, messageId: fill(16, index), inReplyTo: undefined, scope: undefined, tokenRef: fill(32, 5) },
      encode({ progress: index / 4 }, builtInRegistry()),
    ),
  );
  let hash = SID;
  for (const message of messages) hash = await runningHash(hash, message, crypto);
  const good: Checkpoint = {
    project: PROJECT,
    from: "site-1",
    to: "hub",
    sid: SID,
    direction: 0,
    count: messages.length,
    hash,
  };
  const seal = (other: Partial<Checkpoint> = {}, key = site.signingKey): Promise<Bytes> =>
    sealCheckpoint({ ...good, ...other }, { key, crypto });
  const verifyingKey = await crypto.importVerifyingKey(site.signingKey.publicKey, site.signingKey.algorithm);
  const open = (frame: Bytes): Promise<void> =>
    openCheckpoint(readFrame(frame), good, { verifyingKey, crypto });
  const checkpoint = await seal();
  await open(checkpoint);
  const cases: readonly (readonly [string, Bytes])[] = [
    ["of another session", await seal({ sid: fill(32, 0x52) })],
    ["for another receiver", await seal({ to: "site-2" })],
    ["of the other direction", await seal({ direction: 1 })],
    ["over a message more", await seal({ count: 4 })],
    ["over other messages", await seal({ hash: fill(32, 1) })],
    ["signed by somebody else", await seal({}, user.signingKey)],
  ];
  return {
    about:
      "MESSAGE frames of the site in the session sid, the running hash after them, the CHECKPOINT (kind 8). refused: others with the code of the refusal.",
    sid: toHex(SID),
    messages: messages.map(toHex),
    hash: toHex(hash),
    checkpoint: toHex(checkpoint),
    refused: await Promise.all(
      cases.map(async ([name, frame]) => ({
        name,
        checkpoint: toHex(frame),
        code: await wireCodeOfRefusal(name, () => open(frame)),
      })),
    ),
  };
}
