import { type Bytes, fromHex, fromUtf8, toHex, utf8 } from "@photinus/core/bytes";
import { builtInRegistry, decode, encode } from "@photinus/core/decomposer";
import { ChainDirectory, memoryReplayStore, ObjectVerifier, sealObject } from "@photinus/core/envelope";
import type { CryptoProvider, SignatureAlgorithm } from "@photinus/core/platform";
import {
  type BlobDescription,
  bytesSink,
  bytesSource,
  openBlob,
  restoreBlob,
  sealBlob,
} from "@photinus/core/stream";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { TEST_EPOCH_MS, testProject, virtualClock } from "@photinus/core/testing";
import { HandshakeState, prologueOf, RecordReceiver, RecordSender, readFrame } from "@photinus/core/wire";
import { sealingSteps } from "./sealing-steps.ts";

/** One runtime in a conversation: each step takes and gives hexadecimal, so that it crosses into a page. */
export type Party = Readonly<Record<string, (input: string) => Promise<string>>>;

const PROJECT = "interop";
const OBJECT_TYPE = 7;
const registry = builtInRegistry();
const pack = (value: unknown): string => toHex(encode(value, registry));
const unpack = <T>(hex: string): T => decode(fromHex(hex), registry) as T; // both ends are this file

/** A value of every type that travels. */
const SAMPLE = {
  flag: true,
  nothing: null,
  whole: Number.MAX_SAFE_INTEGER,
  fraction: -0.1,
  zero: -0,
  big: 2n ** 63n - 1n,
  text: "Leuchtkäfer ✨",
  bytes: Uint8Array.of(0, 127, 255),
  list: [1, [2, [3]]],
  at: new Date(TEST_EPOCH_MS),
  set: new Set(["a", 1]),
  map: new Map<unknown, unknown>([["k", Uint8Array.of(1)]]),
  parameters: new ParameterSet([
    ["weights", Tensor.f32([2, 2], Float32Array.of(1, -2, 3.5, 0))],
    ["steps", new Tensor("i64", [], new Uint8Array(8))],
  ]),
};

async function handshakeSteps(crypto: CryptoProvider, initiator: boolean): Promise<Party> {
  const staticKey = await crypto.generateAgreementKey();
  const state = await HandshakeState.start(
    { initiator, prologue: prologueOf(PROJECT), staticKey },
    { crypto },
  );
  let sender: RecordSender | undefined;
  let receiver: RecordReceiver | undefined;
  return {
    writeMessage: async (payload) => {
      const tokens = toHex(await state.writeTokens());
      return tokens + toHex(await state.writePayload(utf8(payload)));
    },
    readMessage: async (message) =>
      fromUtf8(await state.readPayload(await state.readTokens(fromHex(message)))),
    split: async () => {
      const { send, receive, handshakeHash } = await state.split();
      sender = new RecordSender(await crypto.importAesGcmKey(send), { crypto });
      receiver = new RecordReceiver(await crypto.importAesGcmKey(receive), { crypto });
      return toHex(handshakeHash);
    },
    sealRecord: async (inner) => {
      if (sender === undefined) throw new TypeError("split first");
      return toHex(await sender.seal(utf8(inner)));
    },
    openRecord: async (frame) => {
      if (receiver === undefined) throw new TypeError("split first");
      return fromUtf8(await receiver.open(readFrame(fromHex(frame))));
    },
  };
}

interface SignedSample {
  readonly algorithm: SignatureAlgorithm;
  readonly publicKey: Bytes;
  readonly signature: Bytes;
}

const signatureSteps = (crypto: CryptoProvider): Party => ({
  sign: async (algorithm) => {
    const key = await crypto.generateSigningKey(Number(algorithm) as SignatureAlgorithm); // 1, 2 or 3 by the test
    const signature = await crypto.sign(key, utf8("signed"));
    return pack({ algorithm: key.algorithm, publicKey: key.publicKey, signature });
  },
  verify: async (signed) => {
    const { algorithm, publicKey, signature } = unpack<SignedSample>(signed);
    const key = await crypto.importVerifyingKey(publicKey, algorithm);
    return String(await crypto.verify(key, signature, utf8("signed")));
  },
});

interface SealedSample extends BlobDescription {
  readonly key: Bytes;
  readonly ciphertext: Bytes;
}

const blobSteps = (crypto: CryptoProvider): Party => ({
  sealBlob: async (content) => {
    const bytes = fromHex(content);
    const options = { project: PROJECT, totalBytes: bytes.byteLength, chunkBytes: 65_536 };
    const { blob, key } = await sealBlob(bytesSource(bytes), options, { crypto, clock: virtualClock() });
    const { root, blobId, chunkBytes, totalBytes, leaves } = blob;
    const ciphertext = fromHex(blob.chunks.map(toHex).join(""));
    return pack({ root, blobId, chunkBytes, totalBytes, leaves, key, ciphertext });
  },
  openBlob: async (sealed) => {
    const { key, ciphertext, ...description } = unpack<SealedSample>(sealed);
    const { sink, bytes } = bytesSink(description.totalBytes);
    const blob = restoreBlob(description, ciphertext);
    await openBlob(blob, { description, key, project: PROJECT, sink }, { crypto });
    return toHex(bytes);
  },
});

interface ObjectSample {
  readonly root: Bytes;
  readonly chain: readonly Bytes[];
  readonly object: Bytes;
}

const objectSteps = (crypto: CryptoProvider): Party => ({
  sealObject: async (payload) => {
    const { root, users } = await testProject({ project: PROJECT, crypto });
    const [identity] = users.values();
    if (identity === undefined) throw new TypeError("a test project has a user");
    const life = { issuedAt: TEST_EPOCH_MS, lifetimeMs: 60_000 };
    const content = { objectType: OBJECT_TYPE, audience: "all", payload: fromHex(payload), ...life };
    const object = await sealObject(content, { identity, crypto });
    return pack({ root: root.certificate.der, chain: [...identity.participant.chain], object });
  },
  openObject: async (sealed) => {
    const { root, chain, object } = unpack<ObjectSample>(sealed);
    const chains = new ChainDirectory({ project: PROJECT, root }, { crypto });
    await chains.add(chain, TEST_EPOCH_MS);
    const rules = new Map([
      [OBJECT_TYPE, { signers: ["lead"] as const, maximumLifetimeMs: 60_000, counted: false }],
    ]);
    const replay = memoryReplayStore({ clock: virtualClock() });
    const verifier = new ObjectVerifier(
      { project: PROJECT, self: "site-1", rules },
      { crypto, chains, replay },
    );
    const opened = await verifier.open(object, TEST_EPOCH_MS);
    return `${opened?.signer.name} ${toHex(opened?.payload ?? new Uint8Array())}`;
  },
});

const codecSteps: Party = {
  encodeSample: async () => pack(SAMPLE),
  encodeAgain: async (encoded) => pack(unpack(encoded)),
};

/** The steps of one runtime with its cryptography. */
export async function createParty(crypto: CryptoProvider, initiator: boolean): Promise<Party> {
  return {
    ...(await handshakeSteps(crypto, initiator)),
    ...signatureSteps(crypto),
    ...blobSteps(crypto),
    ...objectSteps(crypto),
    ...codecSteps,
    ...(await sealingSteps(crypto)),
  };
}
