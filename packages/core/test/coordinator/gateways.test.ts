import { expect, test } from "vitest";
import { utf8 } from "../../src/bytes/index.ts";
import { type Coordinator, TokenRevocations } from "../../src/coordinator/index.ts";
import { siteReady } from "../../src/message/index.ts";
import type { Identity } from "../../src/pki/index.ts";
import { on, type ResumedBody, resume, resumed, type Session } from "../../src/session/index.ts";
import { type MemoryBusEnd, memoryBus, sessionPair } from "../../src/testing/index.ts";
import { TestFederation } from "./a-federation.ts";

/** Two gateways over one storage, each with its end of the bus. */
async function twoGateways() {
  const ends: MemoryBusEnd[] = [];
  let join: (() => MemoryBusEnd) | undefined;
  const federation = await TestFederation.start({
    bus: (clock) => {
      join ??= memoryBus({ clock });
      const end = join();
      ends.push(end);
      return end;
    },
  });
  const second = federation.makeCoordinator();
  await second.start();
  const [firstBus, secondBus] = ends;
  if (firstBus === undefined || secondBus === undefined) throw new RangeError("no bus");
  const stop = async (): Promise<void> => {
    await second.stop();
    await federation.stop();
  };
  return { federation, first: federation.coordinator, second, firstBus, secondBus, stop };
}

/** A session of site-1 at a gateway, and what it was told of its earlier ones. */
async function logIn(
  federation: TestFederation,
  gateway: Coordinator,
  identity: Identity = federation.identityOf("site-1"),
): Promise<{ readonly client: Session; readonly answers: readonly ResumedBody[] }> {
  const { project, crypto, clock } = federation;
  const pair = await sessionPair({
    ...{ project, crypto, clock, identity },
    modules: { revokedTokens: new TokenRevocations(federation) },
  });
  const answers: ResumedBody[] = [];
  pair.client.receive({ routes: [on(resumed, (body) => void answers.push(body))] });
  await gateway.admit(pair.server);
  await clock.settle();
  return { client: pair.client, answers };
}

const endOf = async (session: Session): Promise<string> =>
  session.signal.aborted ? (await session.ended).code : "lives";

test("a certificate has one live session over all gateways: the newest, wherever it is", async () => {
  const { federation, first, second, stop } = await twoGateways();
  const one = await logIn(federation, first);
  await federation.clock.advance(1);

  const two = await logIn(federation, second);
  expect([await endOf(one.client), await endOf(two.client)]).toEqual(["ERR_SUPERSEDED", "lives"]);
  await federation.clock.advance(1);
  const three = await logIn(federation, first);

  expect([await endOf(two.client), await endOf(three.client)]).toEqual(["ERR_SUPERSEDED", "lives"]);
  await stop();
});

const READY = { runtime: "node", dataNames: ["line"], preparedJobs: [], heldUpdates: [] } as const;

/** A device of site-1 logs in at a gateway and announces itself. */
async function announce(
  federation: TestFederation,
  gateway: Coordinator,
  device: Identity,
): Promise<Session> {
  await federation.clock.advance(1);
  const { client } = await logIn(federation, gateway, device);
  await client.send(siteReady, READY);
  await federation.clock.settle();
  return client;
}

test("of two devices of one site the one that announced itself last works, at whichever gateways they are", async () => {
  const { federation, first, second, stop } = await twoGateways();
  const devices = [federation.identityOf("site-1"), await federation.project.add("site", "site-1")] as const;
  const one = await announce(federation, first, devices[0]);

  const silent = await logIn(federation, second, devices[1]);
  expect([await endOf(one), await endOf(silent.client)]).toEqual(["lives", "lives"]); // it has not announced itself
  await federation.clock.advance(1);
  await silent.client.send(siteReady, READY);
  await federation.clock.settle();
  expect([await endOf(one), await endOf(silent.client)]).toEqual(["ERR_SUPERSEDED", "lives"]);
  expect([first.sites(), second.sites()].map(({ length }) => length)).toEqual([0, 1]);
  const three = await announce(federation, first, devices[0]);

  expect([await endOf(silent.client), await endOf(three)]).toEqual(["ERR_SUPERSEDED", "lives"]);
  expect((await silent.client.ended).detail).toContain("another device");
  await stop();
});

test("a device that announced itself while its gateway was cut ends the older one as soon as it is in touch", async () => {
  const { federation, first, second, firstBus, stop } = await twoGateways();
  const other = await federation.project.add("site", "site-1");
  const old = await announce(federation, first, federation.identityOf("site-1"));
  firstBus.cut();
  const fresh = await announce(federation, second, other);
  const another = await federation.project.add("site", "site-2");
  const bystander = await announce(federation, second, another);
  expect(await endOf(old)).toBe("lives");

  firstBus.restore();
  await federation.clock.settle();

  expect([await endOf(old), await endOf(fresh), await endOf(bystander)]).toEqual([
    "ERR_SUPERSEDED",
    "lives",
    "lives",
  ]);
  await stop();
});

test("of two that log in at two gateways in one millisecond one lives", async () => {
  const { federation, first, second, stop } = await twoGateways();

  const both = [await logIn(federation, first), await logIn(federation, second)];
  await federation.clock.settle();

  const ends = await Promise.all(both.map(({ client }) => endOf(client)));
  expect(ends.toSorted()).toEqual(["ERR_SUPERSEDED", "lives"]);
  await stop();
});

test("sessions of other certificates, and of this gateway itself, are left alone by what it tells", async () => {
  const { federation, first, second, stop } = await twoGateways();
  const one = await logIn(federation, first);
  const { project, crypto, clock } = federation;
  const other = await sessionPair({
    ...{ project, crypto, clock },
    identity: federation.identityOf("site-2"),
  });
  other.client.receive({ routes: [] });

  await second.admit(other.server);
  await federation.clock.settle();

  expect([await endOf(one.client), await endOf(other.client)]).toEqual(["lives", "lives"]);
  await stop();
});

test("what is no notice of a session has no effect", async () => {
  const { federation, first, secondBus, stop } = await twoGateways();
  const one = await logIn(federation, first);

  secondBus.publish("sessions", utf8("{}"));
  secondBus.publish("sessions", new Uint8Array(40));
  await federation.clock.settle();

  expect(await endOf(one.client)).toBe("lives");
  await stop();
});

test("a gateway that was cut from the others for 30 s admits nobody, and admits again when it is in touch", async () => {
  const { federation, second, secondBus, stop } = await twoGateways();
  secondBus.cut();
  await federation.clock.advance(29_000);
  expect(await endOf((await logIn(federation, second)).client)).toBe("lives");
  await federation.clock.advance(1000);

  const refused = await logIn(federation, second);
  expect(await endOf(refused.client)).toBe("ERR_BUSY");
  expect(second.isAdmitting).toBe(false);
  secondBus.restore();

  expect(second.isAdmitting).toBe(true);
  expect(await endOf((await logIn(federation, second)).client)).toBe("lives");
  await stop();
});

test("a session that was superseded while its gateway was cut ends as soon as it is in touch", async () => {
  const { federation, first, second, firstBus, stop } = await twoGateways();
  const old = await logIn(federation, first);
  firstBus.cut();
  await federation.clock.advance(10);
  const fresh = await logIn(federation, second);
  expect(await endOf(old.client)).toBe("lives"); // nobody could tell its gateway

  firstBus.restore();
  await federation.clock.settle();

  expect([await endOf(old.client), await endOf(fresh.client)]).toEqual(["ERR_SUPERSEDED", "lives"]);
  await stop();
});

test("tokens of a session that was superseded are revoked for every gateway until they have expired", async () => {
  const { federation, first, stop } = await twoGateways();
  const revocations = new TokenRevocations(federation);
  const old = await logIn(federation, first);
  expect(await revocations.codeOf(old.client.id)).toBeUndefined();
  const fresh = await logIn(federation, first);
  await federation.clock.settle();

  expect(await revocations.codeOf(old.client.id)).toBe("ERR_SUPERSEDED");
  expect(await revocations.codeOf(fresh.client.id)).toBeUndefined();
  await federation.clock.advance(15 * 60_000);
  expect(await revocations.codeOf(old.client.id)).toBeUndefined();
  await revocations.sweep();

  expect(await federation.metadata.list("revoked-token/")).toEqual([]);
  await stop();
});

test("of two reasons for which a session ended the one counts that lasts longer", async () => {
  const { federation, stop } = await twoGateways();
  const revocations = new TokenRevocations(federation);
  const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  await Promise.all([revocations.ended(one, "ERR_REVOKED"), revocations.ended(one, "ERR_SUPERSEDED")]);
  await revocations.ended(two, "ERR_SUPERSEDED");
  await revocations.ended(two, "ERR_REVOKED");
  await revocations.ended(new Uint8Array(32), "ERR_GOING_AWAY"); // revokes nothing

  expect(await revocations.codeOf(one)).toBe("ERR_REVOKED");
  expect(await revocations.codeOf(two)).toBe("ERR_REVOKED");
  expect(await federation.metadata.list("revoked-token/")).toHaveLength(2);
  await stop();
});

test("a gateway that heard nothing renews no token of a session that another one revoked", async () => {
  const { federation, first, firstBus, stop } = await twoGateways();
  const revocations = new TokenRevocations(federation);
  const [kept, lost] = [await logIn(federation, first), await sessionOfOther(federation, first)];
  firstBus.cut();
  await revocations.ended(lost.id, "ERR_SUSPENDED");

  await federation.clock.advance(9 * 60_000);
  expect(await endOf(lost)).toBe("lives");
  await federation.clock.advance(2 * 60_000);

  expect([await endOf(lost), await endOf(kept.client)]).toEqual(["ERR_SUSPENDED", "lives"]);
  await stop();
});

async function sessionOfOther(federation: TestFederation, gateway: Coordinator): Promise<Session> {
  const { project, crypto, clock } = federation;
  const modules = { revokedTokens: new TokenRevocations(federation) };
  const identity = federation.identityOf("site-2");
  const pair = await sessionPair({ ...{ project, crypto, clock, identity, modules } });
  pair.client.receive({ routes: [] });
  await gateway.admit(pair.server);
  return pair.client;
}

test("RESUME of a session that was revoked begins afresh at every gateway; of one that was superseded it goes on", async () => {
  const { federation, first, second, stop } = await twoGateways();
  const resumeAt = async (gateway: Coordinator, last?: Session): Promise<[Session, boolean | undefined]> => {
    await federation.clock.advance(1);
    const { client, answers } = await logIn(federation, gateway);
    await client.send(resume, { ...(last === undefined ? {} : { session: last.id }), acknowledged: [] });
    await client.send(siteReady, READY);
    await federation.clock.settle();
    return [client, answers[0]?.isResumed];
  };
  const [one] = await resumeAt(first);

  const [two, goesOn] = await resumeAt(second, one);
  expect([await endOf(one), goesOn]).toEqual(["ERR_SUPERSEDED", true]);
  await new TokenRevocations(federation).ended(two.id, "ERR_REVOKED");
  const [, isResumed] = await resumeAt(first, two);

  expect(isResumed).toBe(false);
  await stop();
});
