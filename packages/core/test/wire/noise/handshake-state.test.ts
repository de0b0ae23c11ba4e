import { expect, test } from "vitest";
import { type Bytes, concatBytes, fromHex, toHex, utf8 } from "../../../src/bytes/index.ts";
import { type CryptoProvider, webCrypto } from "../../../src/platform/index.ts";
import { CipherState, HandshakeState } from "../../../src/wire/index.ts";
import noiseXx from "../../vectors/noise-xx.json" with { type: "json" };

const crypto = webCrypto();
const EMPTY = new Uint8Array(0);

// RFC 7748, section 6.1: the base point's multiple is X25519(k, 9).
async function fixedKey(
  privateKey: string,
): Promise<Awaited<ReturnType<CryptoProvider["generateAgreementKey"]>>> {
  const basePoint = new Uint8Array(32);
  basePoint[0] = 9;
  const provisional = await crypto.importAgreementKey(fromHex(privateKey), basePoint);
  const publicKey = await crypto.agree(provisional, basePoint);
  return await crypto.importAgreementKey(fromHex(privateKey), publicKey!);
}

async function write(state: HandshakeState, payload: Bytes): Promise<Bytes> {
  return concatBytes(await state.writeTokens(), await state.writePayload(payload));
}

async function read(state: HandshakeState, message: Bytes): Promise<Bytes> {
  return await state.readPayload(await state.readTokens(message));
}

async function aPair(): Promise<{ initiator: HandshakeState; responder: HandshakeState }> {
  const prologue = utf8("photinus/1\0");
  const start = async (initiator: boolean) =>
    HandshakeState.start({ initiator, prologue, staticKey: await crypto.generateAgreementKey() }, { crypto });
  return { initiator: await start(true), responder: await start(false) };
}

test.for(noiseXx.vectors)(
  "gives the messages, hash and transport of the published vector %#",
  async (vector) => {
    const initiator = await HandshakeState.start(
      {
        initiator: true,
        prologue: fromHex(vector.init_prologue),
        staticKey: await fixedKey(vector.init_static),
        ephemeralKey: await fixedKey(vector.init_ephemeral),
      },
      { crypto },
    );
    const responder = await HandshakeState.start(
      {
        initiator: false,
        prologue: fromHex(vector.resp_prologue),
        staticKey: await fixedKey(vector.resp_static),
        ephemeralKey: await fixedKey(vector.resp_ephemeral),
      },
      { crypto },
    );
    for (const [index, { payload, ciphertext }] of vector.messages.slice(0, 3).entries()) {
      const [from, to] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
      const message = await write(from, fromHex(payload));
      expect(toHex(message)).toBe(ciphertext);
      expect(toHex(await read(to, message))).toBe(payload);
    }
    const left = await initiator.split();
    const right = await responder.split();
    expect(toHex(left.handshakeHash)).toBe(vector.handshake_hash);
    expect(toHex(right.handshakeHash)).toBe(vector.handshake_hash);
    expect(toHex(left.send)).toBe(toHex(right.receive));
    const toResponder = await CipherState.create(left.send, crypto);
    const toInitiator = await CipherState.create(right.send, crypto);
    for (const [index, { payload, ciphertext }] of vector.messages.slice(3).entries()) {
      const cipher = index % 2 === 0 ? toInitiator : toResponder;
      expect(toHex(await cipher.encrypt(fromHex(payload), EMPTY))).toBe(ciphertext);
    }
  },
);

test("both sides have the same hash between the tokens and the payload of a message", async () => {
  const { initiator, responder } = await aPair();
  await read(responder, await write(initiator, EMPTY));

  const tokens = await responder.writeTokens();
  const signedByResponder = responder.hash;
  const message = concatBytes(tokens, await responder.writePayload(utf8("chain")));
  const rest = await initiator.readTokens(message);

  expect(toHex(initiator.hash)).toBe(toHex(signedByResponder));
  expect(await initiator.readPayload(rest)).toEqual(utf8("chain"));
});

test("refuses an altered byte anywhere in message 2", async () => {
  // A failed state is never used again, so each position needs its own handshake.
  for (const position of [0, 31, 32, 63, 79, 80, 100]) {
    const { initiator, responder } = await aPair();
    await read(responder, await write(initiator, EMPTY));
    const message = await write(responder, utf8("chain"));
    message[position]! ^= 1;

    await expect(read(initiator, message)).rejects.toMatchObject({ code: "ERR_AUTH_FAILED" });
  }
});

test("refuses an altered first message at the latest when the second is read", async () => {
  const { initiator, responder } = await aPair();
  const altered = await write(initiator, utf8("offer"));
  altered[33]! ^= 1;

  await read(responder, altered);
  const second = await write(responder, EMPTY);

  await expect(read(initiator, second)).rejects.toMatchObject({ code: "ERR_AUTH_FAILED" });
});

test("refuses messages that are too short for their keys", async () => {
  const { initiator, responder } = await aPair();

  await expect(responder.readTokens(new Uint8Array(31))).rejects.toMatchObject({ code: "ERR_AUTH_FAILED" });
  await write(initiator, EMPTY);
  await expect(initiator.readTokens(new Uint8Array(79))).rejects.toMatchObject({ code: "ERR_AUTH_FAILED" });
});

test("refuses a key of low order, which yields the all-zero secret", async () => {
  const { responder } = await aPair();
  await read(responder, new Uint8Array(32));

  await expect(responder.writeTokens()).rejects.toMatchObject({ code: "ERR_AUTH_FAILED" });
});

test("refuses a peer with another prologue", async () => {
  const { initiator } = await aPair();
  const stranger = await HandshakeState.start(
    { initiator: false, prologue: utf8("other"), staticKey: await crypto.generateAgreementKey() },
    { crypto },
  );
  await read(stranger, await write(initiator, EMPTY));

  await expect(read(initiator, await write(stranger, EMPTY))).rejects.toMatchObject({
    code: "ERR_AUTH_FAILED",
  });
});

test("does not write out of turn", async () => {
  const { initiator, responder } = await aPair();

  await expect(responder.writeTokens()).rejects.toThrow(TypeError);
  await expect(initiator.split()).rejects.toThrow(TypeError);
});
