import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import { sealObject } from "../../src/envelope/index.ts";
import { OBJECT_TYPES } from "../../src/message/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { on, signerChain } from "../../src/session/index.ts";
import { testProject } from "../../src/testing/index.ts";
import { readFrame } from "../../src/wire/index.ts";
import { anAttack, endOf, messageFrame, project, withByte } from "./an-attack.ts";
import { type HostileClient, hostileClient } from "./hostile-client.ts";
import { note } from "./messages.ts";

// Signed objects that an authenticated peer relays.

const crypto = webCrypto();
const lead = project.users.get("lead@example.org")!;
const registry = builtInRegistry();

function flipped(bytes: Bytes, position: number): Bytes {
  return withByte(bytes, position, (bytes[position] ?? 0) ^ 0xff);
}

const anObject = (change: Partial<Parameters<typeof sealObject>[0]> = {}, identity = lead): Promise<Bytes> =>
  sealObject(
    {
      objectType: OBJECT_TYPES.job,
      audience: "all",
      issuedAt: Date.UTC(2026, 6, 1),
      lifetimeMs: 60_000,
      payload: encode(1, registry),
      ...change,
    },
    { identity, crypto },
  );

async function sendChain(client: HostileClient, chain: readonly Bytes[]): Promise<void> {
  await client.sendInner(messageFrame(client, encode({ chain }, registry), signerChain.type));
}

test("an object of a user that a site relays is accepted when its chain came first", async () => {
  const client = await anAttack();

  await sendChain(client, lead.participant.chain);
  await client.sendInner(await anObject());
  await client.clock.settle();

  expect(client.handled.objects).toEqual(["lead@example.org"]);
});

test("an object whose signer's chain was not sent is refused", async () => {
  const client = await anAttack();

  await client.sendInner(await anObject());

  expect(await client.replies()).toMatchObject([{ code: "ERR_ENVELOPE_UNKNOWN_SENDER" }]);
});

test("a chain of another root is refused, and its objects with it", async () => {
  const client = await anAttack();
  const foreign = (await testProject()).users.get("lead@example.org")!;

  await sendChain(client, foreign.participant.chain);
  await client.sendInner(await anObject({}, foreign));

  const codes = (await client.replies()).map(({ code }) => code);
  expect(codes).toEqual(["ERR_AUTH_FAILED", "ERR_ENVELOPE_UNKNOWN_SENDER"]);
  expect(client.handled.objects).toEqual([]);
});

test.for([
  ["has expired", { lifetimeMs: 60_000, issuedAt: Date.UTC(2026, 6, 1) - 60_001 }, "ERR_ENVELOPE_STALE"],
  ["is from the future", { issuedAt: Date.UTC(2026, 6, 1) + 60_001 }, "ERR_ENVELOPE_STALE"],
  ["is for somebody else", { audience: "site-2" }, "ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["is of a type without a rule", { objectType: 77 }, "ERR_TYPE_UNKNOWN"],
  ["is of a type that only the server signs", { objectType: OBJECT_TYPES.publication }, "ERR_TYPE_UNKNOWN"],
  ["has a counter where none belongs", { counter: 5 }, "ERR_ENVELOPE_STALE"],
] as const)("an object that %s is refused", async ([, change, code]) => {
  const client = await anAttack();
  await sendChain(client, lead.participant.chain);

  await client.sendInner(await anObject(change));

  expect(await client.replies()).toMatchObject([{ code }]);
  expect(client.handled.objects).toEqual([]);
});

test("an object of another project is refused", async () => {
  const client = await anAttack();
  const foreign = (await testProject({ project: "other" })).users.get("lead@example.org")!;

  await client.sendInner(await anObject({}, foreign));

  expect(await client.replies()).toMatchObject([{ code: "ERR_ENVELOPE_WRONG_RECIPIENT" }]);
});

test("an object that comes again has no second effect; another under its id ends the session", async () => {
  const client = await anAttack();
  await sendChain(client, lead.participant.chain);
  const objectId = crypto.randomBytes(16);
  const object = await anObject({ objectId });

  for (let copy = 0; copy < 3; copy++) await client.sendInner(object);
  expect(await client.replies()).toEqual([]);
  expect(client.handled.objects).toEqual(["lead@example.org"]);
  await client.clock.settle();
  await client.sendInner(await anObject({ objectId, payload: encode(2, registry) }));

  expect(await endOf(client)).toBe("ERR_ENVELOPE_REPLAYED");
});

test("of two copies of an object that wait beside each other one has an effect", async () => {
  let release = (): void => undefined;
  const blocked = new Promise<void>((resolve) => {
    release = resolve;
  });
  const handled: string[] = [];
  const client = await hostileClient(project, {
    routes: [on(note, () => blocked)],
    onObject: ({ signer }) => void handled.push(signer.name),
  });
  await sendChain(client, lead.participant.chain);
  await client.sendInner(client.message("holds the handler"));
  const object = await anObject();
  for (let copy = 0; copy < 2; copy++) await client.sendInner(object);
  await client.clock.settle();
  expect(handled).toEqual([]);

  release();
  await client.clock.settle();

  expect(handled).toEqual(["lead@example.org"]);
  expect(await endOf(client)).toBe("goes on");
});

const endOfHeader = (frame: Bytes): number => 12 + readFrame(frame).header.length;
/** The answer to an object that nobody signed, and the end of its session. */
const FORGED = ["ERR_ENVELOPE_SIGNATURE_INVALID", "ERR_ENVELOPE_SIGNATURE_INVALID"] as const;

test.for([
  ["project", (frame: Bytes) => withByte(frame, 12 + 8, 0x7a), "ERR_ENVELOPE_WRONG_RECIPIENT", "goes on"],
  ["digest", (frame: Bytes) => flipped(frame, endOfHeader(frame) - 20), ...FORGED],
  ["signature", (frame: Bytes) => flipped(frame, endOfHeader(frame) + 3), ...FORGED],
  ["payload", (frame: Bytes) => withByte(frame, frame.length - 1, 2), "ERR_DIGEST_MISMATCH", "goes on"],
] as const)("an object with an altered %s is refused", async ([, alter, code, end]) => {
  const client = await anAttack();
  await sendChain(client, lead.participant.chain);

  await client.sendInner(alter(await anObject()));

  expect(await client.replies()).toMatchObject([{ code }]);
  expect(await endOf(client)).toBe(end);
  expect(client.handled.objects).toEqual([]);
});
