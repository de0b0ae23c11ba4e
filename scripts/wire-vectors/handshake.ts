import { type Bytes, concatBytes, toHex } from "../../packages/core/src/bytes/index.ts";
import type { AgreementKey, CryptoProvider } from "../../packages/core/src/platform/index.ts";
import {
  FRAME_KIND,
  HandshakeState,
  prologueOf,
  RecordReceiver,
  readFrame,
  type TransportKeys,
  writeFrame,
} from "../../packages/core/src/wire/index.ts";
import { type Conversation, converse } from "./conversation.ts";
import { agreementPublicKey, type FixedCrypto } from "./fixed-crypto.ts";
import { PROJECT } from "./participants.ts";

interface Side {
  readonly staticKey: AgreementKey;
  readonly ephemeralKey: AgreementKey;
}

async function sideOf({ crypto, agreementKeys }: FixedCrypto): Promise<Side> {
  const [staticKey, ephemeralKey] = await Promise.all(
    agreementKeys.map((key) => crypto.importAgreementKey(key, agreementPublicKey(key))),
  );
  if (staticKey === undefined || ephemeralKey === undefined) throw new RangeError("a side has two keys");
  return { staticKey, ephemeralKey };
}

/** A message of the handshake, taken apart by who has both sides' keys. */
interface Message {
  readonly kind: number;
  readonly from: "client" | "server";
  readonly frame: Bytes;
  /** h after the tokens. */
  readonly hash: Bytes;
  readonly payload: Bytes;
}

interface Replayed {
  readonly messages: readonly Message[];
  readonly keys: TransportKeys;
}

/** Goes through the recorded handshake again on both sides; every byte has to be the recorded one. */
async function replay({ frames, client, server }: Conversation): Promise<Replayed> {
  const { crypto } = client;
  const prologue = prologueOf(PROJECT);
  const start = async (initiator: boolean, fixed: FixedCrypto): Promise<HandshakeState> =>
    await HandshakeState.start({ initiator, prologue, ...(await sideOf(fixed)) }, { crypto });
  const [initiator, responder] = [await start(true, client), await start(false, server)];
  const messages: Message[] = [];
  for (const [index, { from, bytes }] of frames.slice(0, 3).entries()) {
    const [writer, reader] = from === "client" ? [initiator, responder] : [responder, initiator];
    const tokens = await writer.writeTokens();
    const rest = await reader.readTokens(readFrame(bytes).payload);
    const { hash } = reader;
    const payload = await reader.readPayload(rest);
    const again = writeFrame(readFrame(bytes).kind, {
      payload: concatBytes(tokens, await writer.writePayload(payload)),
    });
    if (toHex(again) !== toHex(bytes)) throw new Error(`message ${index + 1} of the handshake differs`);
    messages.push({ kind: index + 1, from, frame: bytes, hash, payload });
  }
  return { messages, keys: await initiator.split() };
}

/** The handshake with all keys, and what both sides compute. */
export async function handshakeVectors(): Promise<object> {
  const conversation = await converse();
  const { messages, keys } = await replay(conversation);
  const secrets = ({ agreementKeys: [staticKey, ephemeralKey] }: FixedCrypto): object => ({
    staticPrivateKey: hex(staticKey),
    staticPublicKey: staticKey === undefined ? "" : toHex(agreementPublicKey(staticKey)),
    ephemeralPrivateKey: hex(ephemeralKey),
  });
  return {
    about:
      "Noise_XX_25519_AESGCM_SHA256 between the site and the server of participants.json. hash: h after the tokens of the message, which its signature covers. Signatures of the vectors are those of RFC 6979, others verify as well.",
    prologue: toHex(prologueOf(PROJECT)),
    client: secrets(conversation.client),
    server: secrets(conversation.server),
    messages: messages.map(({ kind, from, frame, hash, payload }) => ({
      kind,
      from,
      frame: toHex(frame),
      hash: toHex(hash),
      payload: toHex(payload),
    })),
    sid: toHex(keys.handshakeHash),
    clientToServerKey: toHex(keys.send),
    serverToClientKey: toHex(keys.receive),
  };
}

const hex = (bytes: Bytes | undefined): string => toHex(bytes ?? new Uint8Array());

/** Everything after the handshake: the frames on the way, and what is in them. */
export async function sessionVectors(): Promise<object> {
  const conversation = await converse();
  const { keys } = await replay(conversation);
  const { crypto } = conversation.client;
  const receivers = {
    client: await receiver(keys.send, crypto),
    server: await receiver(keys.receive, crypto),
  };
  const frames: object[] = [];
  for (const { from, bytes } of conversation.frames.slice(3)) {
    const outer = readFrame(bytes);
    if (outer.kind !== FRAME_KIND.session) {
      frames.push({ from, kind: outer.kind, frame: toHex(bytes) });
      continue;
    }
    const inner = await receivers[from].open(outer);
    const { kind } = readFrame(inner);
    if (kind === FRAME_KIND.rekey) await receivers[from].rekey();
    frames.push({ from, kind: outer.kind, innerKind: kind, frame: toHex(bytes), inner: toHex(inner) });
  }
  return {
    about:
      "The conversation that follows the handshake of handshake.json, in the order of the frames. Each direction counts from 0; after REKEY (kind 9) its next key is in use. frame: as it travels; inner: its plaintext.",
    frames,
  };
}

const receiver = async (key: Bytes, crypto: CryptoProvider): Promise<RecordReceiver> =>
  new RecordReceiver(await crypto.importAesGcmKey(key), { crypto });
