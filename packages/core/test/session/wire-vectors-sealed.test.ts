import { type Bytes, fromHex, toHex } from "@photinus/core/bytes";
import { builtInRegistry, decode } from "@photinus/core/decomposer";
import { ChainDirectory, memoryReplayStore, openCheckpoint, runningHash } from "@photinus/core/envelope";
import { MESSAGES } from "@photinus/core/message";
import { parseCertificate, parseRevocationList, verifyChain, verifyRevocationList } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { openFrom, type SealedManifest } from "@photinus/core/sealing";
import { bytesSink } from "@photinus/core/stream";
import { virtualClock } from "@photinus/core/testing";
import { readFrame } from "@photinus/core/wire";
import { describe, expect, test } from "vitest";
import checkpoints from "../../../../test/vectors/wire/checkpoints.json" with { type: "json" };
import messages from "../../../../test/vectors/wire/messages.json" with { type: "json" };
import people from "../../../../test/vectors/wire/participants.json" with { type: "json" };
import revocation from "../../../../test/vectors/wire/revocation.json" with { type: "json" };
import sealed from "../../../../test/vectors/wire/sealed.json" with { type: "json" };
import {
  enrolled,
  heartbeat,
  loginChallenge,
  revocationList,
  signerChain,
  tokens,
} from "../../src/session/control-messages.ts";
import { resume, resumed, streamResumed } from "../../src/session/resume.ts";
import { codeOf } from "./wire-code.ts";

// The published vectors under this runtime's cryptography: sealed content, checkpoints, revocation lists, bodies.

const crypto = webCrypto();
const { project, nowMs } = people;
const root = fromHex(people.root);
const siteKey = await crypto.importVerifyingKey(fromHex(people.site.publicKey), 1);

type ManifestHex = typeof sealed.manifest;
const manifestOf = ({ stream, statement, keys }: ManifestHex): SealedManifest => ({
  stream: {
    ...stream,
    streamId: fromHex(stream.streamId),
    leaves: fromHex(stream.leaves),
    root: fromHex(stream.root),
  },
  statement: fromHex(statement),
  keys: keys.map(({ to, packageId, encapsulated, wrapped }) => ({
    to,
    packageId: fromHex(packageId),
    encapsulated: fromHex(encapsulated),
    wrapped: fromHex(wrapped),
  })),
});

describe("sealed content", () => {
  async function read(
    manifest: ManifestHex,
    { round, from }: { round: number; from: string },
  ): Promise<Bytes> {
    const chains = new ChainDirectory({ project, root }, { crypto });
    for (const { chain } of [people.site, people.enrolledSite]) await chains.add(chain.map(fromHex), nowMs);
    const clock = virtualClock({ startMs: nowMs });
    const expected = { root, project, usage: "client", nowMs } as const;
    const { participant } = await verifyChain(people.enrolledSite.chain.map(fromHex), expected, { crypto });
    const publicKey = fromHex(sealed.publicKey);
    const key = await crypto.importAgreementKey(fromHex(sealed.privateKey), publicKey);
    const own = sealed.manifest.keys[0]?.packageId;
    const opening = await openFrom(
      from,
      manifestOf(manifest),
      { job: sealed.job, round, maximumBytes: 2 ** 24 },
      {
        self: participant,
        keys: { find: (id) => (toHex(id) === own ? key : undefined) },
        chains,
        replay: memoryReplayStore({ clock }),
        crypto,
        clock,
      },
    );
    const { sink, bytes } = bytesSink(opening.statement.totalBytes);
    await opening.into(sink).write(0, fromHex(sealed.ciphertext));
    await opening.finish();
    return bytes;
  }

  test("opens with the key of its package", async () => {
    expect(toHex(await read(sealed.manifest, sealed))).toBe(sealed.plaintext);
  });

  test.each(sealed.refused)("$name it is refused by $code", async ({ manifest, code, ...as }) => {
    expect(await codeOf(() => read(manifest, as))).toBe(code);
  });
});

describe("CHECKPOINT", () => {
  async function open(frame: string): Promise<void> {
    let hash: Bytes = fromHex(checkpoints.sid);
    for (const message of checkpoints.messages) hash = await runningHash(hash, fromHex(message), crypto);
    const expected = {
      project,
      from: "site-1",
      to: "hub",
      sid: fromHex(checkpoints.sid),
      direction: 0,
      count: checkpoints.messages.length,
      hash,
    } as const;
    await openCheckpoint(readFrame(fromHex(frame)), expected, { verifyingKey: siteKey, crypto });
  }

  test("is over the messages that were sent", async () => {
    expect(await codeOf(() => open(checkpoints.checkpoint))).toBeUndefined();
  });

  test.each(checkpoints.refused)("$name it is refused by $code", async ({ checkpoint, code }) => {
    expect(await codeOf(() => open(checkpoint))).toBe(code);
  });
});

test.each([
  ["root", revocation.root, people.root],
  ["enrolment CA", revocation.enrolment, people.enrolmentCa],
] as const)(
  "the revocation list of the %s verifies, and says what is published",
  async (_, vector, issuer) => {
    const certificate = await parseCertificate(fromHex(issuer), { crypto });
    const list = await parseRevocationList(fromHex(vector.list), { crypto });

    await verifyRevocationList(list, certificate, { crypto });

    const { number, thisUpdateMs, nextUpdateMs } = list;
    expect({ number, thisUpdateMs, nextUpdateMs }).toEqual({
      number: vector.number,
      thisUpdateMs: vector.thisUpdateMs,
      nextUpdateMs: vector.nextUpdateMs,
    });
    expect([...list.entries.keys()]).toEqual(vector.revokedSerialNumbers);
  },
);

const OF_SESSIONS = [
  heartbeat,
  tokens,
  signerChain,
  loginChallenge,
  enrolled,
  revocationList,
  resume,
  resumed,
  streamResumed,
] as const;

test.each(messages.messages)("$type $name passes its schema", ({ type, name, bytes }) => {
  const definition = MESSAGES.get(type) ?? OF_SESSIONS.find((each) => each.type === type);

  expect(definition?.name).toBe(name);
  expect(definition?.parse(decode(fromHex(bytes), builtInRegistry()))).toBeDefined();
});
