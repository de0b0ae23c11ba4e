import { type Bytes, toHex } from "../../packages/core/src/bytes/index.ts";
import { builtInRegistry, encode } from "../../packages/core/src/decomposer/index.ts";
import {
  ChainDirectory,
  type IssuedToken,
  issueToken,
  memoryReplayStore,
  type ObjectContent,
  ObjectVerifier,
  openSigned,
  readSignedHeader,
  SeenMessages,
  type SignedMessage,
  sealObject,
  sealSigned,
  TokenBook,
  type TokenExpectations,
  verifyToken,
  writeMessage,
} from "../../packages/core/src/envelope/index.ts";
import type { Identity } from "../../packages/core/src/pki/index.ts";
import { virtualClock } from "../../packages/core/src/testing/index.ts";
import { readFrame } from "../../packages/core/src/wire/index.ts";
import { NOW_MS, type Participants, PROJECT, participants } from "./participants.ts";
import { wireCodeOfRefusal } from "./refusal.ts";

const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);
const SID = fill(32, 0x51);
const registry = builtInRegistry();

/** A copy with one bit turned. @param at from the end when it is negative */
function turned(bytes: Bytes, at: number): Bytes {
  const copy = bytes.slice();
  const index = at < 0 ? copy.length + at : at;
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
}

async function expectations({ server, site, fixed }: Participants): Promise<TokenExpectations> {
  const { publicKey, algorithm } = server.signingKey;
  return {
    holder: site.participant,
    sid: SID,
    nowMs: NOW_MS,
    serverKey: await fixed.crypto.importVerifyingKey(publicKey, algorithm),
    serverKeyId: await fixed.crypto.sha256(publicKey),
  };
}

async function tokenOf(people: Participants, holder: Identity): Promise<IssuedToken> {
  const { serverKeyId } = await expectations(people);
  const { crypto } = people.fixed.fork(`token ${holder.participant.name}`);
  return await issueToken(
    { holder: holder.participant, sid: SID, nowMs: NOW_MS, serverKeyId },
    { key: people.server.signingKey, crypto },
  );
}

/** A token, and under which circumstances it is refused. */
export async function tokenVectors(): Promise<object> {
  const people = await participants();
  const { crypto } = people.fixed;
  const issued = await tokenOf(people, people.site);
  const good = await expectations(people);
  const { serverKeyId } = good;
  const forger = await people.fixed.fork("forger").crypto.generateSigningKey(1);
  const forged = await issueToken(
    { holder: people.site.participant, sid: SID, nowMs: NOW_MS, serverKeyId },
    { key: forger, crypto: people.fixed.fork("forged").crypto },
  );
  const cases: readonly (readonly [string, Bytes, Partial<TokenExpectations>])[] = [
    ["in another session", issued.bytes, { sid: fill(32, 0x52) }],
    ["of another participant", issued.bytes, { holder: people.user.participant }],
    ["a quarter of an hour later", issued.bytes, { nowMs: NOW_MS + 900_000 }],
    ["before its time", issued.bytes, { nowMs: NOW_MS - 900_000 }],
    ["signed by another key", forged.bytes, {}],
    ["with a bit of the array turned", turned(issued.bytes, 60), {}],
    ["with a bit of the signature turned", turned(issued.bytes, -1), {}],
  ];
  return {
    about:
      "A token of the site by the server of participants.json in the session sid. refused: the same or another token where sid, holder or time are others; code: of the refusal.",
    sid: toHex(SID),
    nowMs: NOW_MS,
    token: toHex(issued.bytes),
    tokenRef: toHex(issued.ref),
    refused: await Promise.all(
      cases.map(async ([name, bytes, other]) => ({
        name,
        token: toHex(bytes),
        sid: toHex(other.sid ?? SID),
        holder: (other.holder ?? people.site.participant).name,
        nowMs: other.nowMs ?? NOW_MS,
        code: await wireCodeOfRefusal(name, () => verifyToken(bytes, { ...good, ...other }, crypto)),
      })),
    ),
  };
}

const aMessage = (tokenRef: Bytes): SignedMessage => ({
  project: PROJECT,
  from: "site-1",
  to: "hub",
  sid: SID,
  direction: 0,
  issuedAt: NOW_MS,
  tokenRef,
  type: 28,
  messageId: fill(16, 8),
  inReplyTo: fill(16, 9),
  scope: "job/1",
  body: encode({ exampleCount: 3333 }, registry),
});

async function openAt(people: Participants, tokens: TokenBook, frame: Bytes): Promise<void> {
  const { fixed, site } = people;
  const parts = readFrame(frame);
  await openSigned(parts, readSignedHeader(parts.header), {
    project: PROJECT,
    from: "site-1",
    to: "hub",
    sid: SID,
    direction: 0,
    tokens,
    seen: new SeenMessages(),
    verifyingKey: await fixed.crypto.importVerifyingKey(site.signingKey.publicKey, site.signingKey.algorithm),
    nowMs: NOW_MS,
    crypto: fixed.crypto,
  });
}

/** A SIGNED frame and those that its receiver refuses. */
export async function signedVectors(): Promise<object> {
  const people = await participants();
  const issued = await tokenOf(people, people.site);
  const tokens = new TokenBook();
  tokens.add(await verifyToken(issued.bytes, await expectations(people), people.fixed.crypto));
  const seal = (other: Partial<SignedMessage> = {}, { signingKey }: Identity = people.site): Promise<Bytes> =>
    sealSigned({ ...aMessage(issued.ref), ...other }, { key: signingKey, crypto: people.fixed.crypto });
  const frame = await seal();
  await openAt(people, tokens, frame);
  const cases: readonly (readonly [string, Bytes])[] = [
    ["for another project", await seal({ project: "other" })],
    ["by another name", await seal({ from: "site-2" })],
    ["for another receiver", await seal({ to: "site-2" })],
    ["of another session", await seal({ sid: fill(32, 0x52) })],
    ["reflected", await seal({ direction: 1 })],
    ["with a token that nobody issued", await seal({ tokenRef: fill(32, 1) })],
    ["of more than a minute ago", await seal({ issuedAt: NOW_MS - 60_001 })],
    ["of more than a minute ahead", await seal({ issuedAt: NOW_MS + 60_001 })],
    ["signed by somebody else", await seal({}, people.user)],
    ["with a bit of the signature turned", turned(frame, -(readFrame(frame).payload.length + 1))],
    ["with a bit of the body turned", turned(frame, -1)],
  ];
  return {
    about:
      "A SIGNED frame (kind 6) of the site to the server, as the server takes it at nowMs, with the token of tokens.json. refused: frames with the code of the refusal.",
    sid: toHex(SID),
    nowMs: NOW_MS,
    project: PROJECT,
    from: "site-1",
    to: "hub",
    direction: 0,
    tokenRef: toHex(issued.ref),
    frame: toHex(frame),
    message: toHex(
      writeMessage(
        {
          type: 27,
          messageId: fill(16, 3),
          inReplyTo: fill(16, 4),
          scope: "job/1",
          tokenRef: issued.ref,
        },
        encode({ progress: 0.5 }, registry),
      ),
    ),
    refused: await Promise.all(
      cases.map(async ([name, bytes]) => ({
        name,
        frame: toHex(bytes),
        code: await wireCodeOfRefusal(name, () => openAt(people, tokens, bytes)),
      })),
    ),
  };
}

const OBJECT_TYPE = 1;

async function objectAt(people: Participants, object: Bytes, nowMs: number): Promise<void> {
  const { crypto } = people.fixed;
  const root = people.project.root.certificate.der;
  const chains = new ChainDirectory({ project: PROJECT, root }, { crypto });
  await chains.add(people.user.participant.chain, nowMs);
  await chains.add(people.server.participant.chain, nowMs);
  const rules = new Map([
    [OBJECT_TYPE, { signers: ["lead"] as const, maximumLifetimeMs: 30 * 86_400_000, counted: false }],
  ]);
  const replay = memoryReplayStore({ clock: virtualClock({ startMs: nowMs }) });
  const verifier = new ObjectVerifier(
    { project: PROJECT, self: "site-1", rules },
    { crypto, chains, replay },
  );
  await verifier.open(object, nowMs);
}

/** An OBJECT and those that a site refuses. */
export async function objectVectors(): Promise<object> {
  const people = await participants();
  const { crypto } = people.fixed.fork("objects");
  const seal = (other: Partial<ObjectContent> = {}, identity: Identity = people.user): Promise<Bytes> =>
    sealObject(
      {
        objectType: OBJECT_TYPE,
        audience: "all",
        objectId: fill(16, 10),
        issuedAt: NOW_MS,
        lifetimeMs: 86_400_000,
        scope: "job/1",
        payload: encode({ name: "mnist" }, registry),
        ...other,
      },
      { identity, crypto },
    );
  const object = await seal();
  await objectAt(people, object, NOW_MS);
  const cases: readonly (readonly [string, Bytes, number])[] = [
    ["for somebody else", await seal({ audience: "site-2" }), NOW_MS],
    ["of a type that is not expected", await seal({ objectType: 99 }), NOW_MS],
    ["of more than a minute ahead", await seal({ issuedAt: NOW_MS + 60_001 }), NOW_MS],
    ["after its end", object, NOW_MS + 86_400_001],
    ["by a role that may not sign it", await seal({}, people.server), NOW_MS],
    ["by somebody whose chain was not sent", await seal({}, people.site), NOW_MS],
    ["counted though its type is not", await seal({ counter: 1 }), NOW_MS],
    ["with a bit of the signature turned", turned(object, -(readFrame(object).payload.length + 1)), NOW_MS],
    ["with a bit of the payload turned", turned(object, -1), NOW_MS],
  ];
  return {
    about:
      "An OBJECT (kind 12) of type 1, signed by the user of participants.json, as site-1 takes it: type 1 may be signed by a lead, lives 30 days, is not counted. The chains of user and server were sent before. refused: objects with the code of the refusal.",
    nowMs: NOW_MS,
    object: toHex(object),
    refused: await Promise.all(
      cases.map(async ([name, bytes, nowMs]) => ({
        name,
        object: toHex(bytes),
        nowMs,
        code: await wireCodeOfRefusal(name, () => objectAt(people, bytes, nowMs)),
      })),
    ),
  };
}
