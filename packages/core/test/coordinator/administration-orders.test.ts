import { describe, expect, test } from "vitest";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import { sealObject } from "../../src/envelope/index.ts";
import { commandDone, OBJECT_TYPES } from "../../src/message/index.ts";
import type { Identity } from "../../src/pki/index.ts";
import { connectSession, on, type Refusal, type Session } from "../../src/session/index.ts";
import { ADMIN, AdministeredServer, ORG_ADMIN, SECOND_ADMIN } from "./an-administration.ts";

const HOUR_MS = 3_600_000;

const within = (server: AdministeredServer, ms: number): number => server.clock.now() + ms;

describe("an order", () => {
  async function rawSession(server: AdministeredServer, who: Identity) {
    const refusals: Refusal[] = [];
    const done: string[] = [];
    const session: Session = await server.run(
      connectSession(
        server.connection(),
        { identity: who, project: "test", root: server.project.root.certificate.der, serverName: "hub" },
        server,
      ),
    );
    session.receive({
      routes: [on(commandDone, ({ detail }) => void done.push(detail))],
      onRefused: (refusal) => void refusals.push(refusal),
    });
    return { session, refusals, done };
  }

  const anInvite = (server: AdministeredServer, identity: Identity) =>
    sealObject(
      {
        objectType: OBJECT_TYPES.invite,
        audience: "hub",
        issuedAt: server.clock.now(),
        lifetimeMs: 60_000,
        payload: encode(
          {
            ...{ codeDigest: new Uint8Array(32), org: "clinic", prefix: "ward", uses: 1 },
            expiresAtMs: within(server, HOUR_MS),
          },
          builtInRegistry(),
        ),
      },
      { identity, crypto: server.crypto },
    );

  test("has its effect once though its answer was lost with the session", async () => {
    const server = await AdministeredServer.start();
    const admin = server.identityOf(ADMIN);
    const order = await anInvite(server, admin);
    const first = await rawSession(server, admin);
    await first.session.sendObject(order, admin.participant.chain);
    await first.session.close("ERR_GOING_AWAY");
    await server.clock.advance(100);

    const again = await rawSession(server, admin);
    await again.session.sendObject(order, admin.participant.chain);
    await server.clock.advance(100);

    expect([first.done, again.done]).toEqual([[], []]);
    expect((await server.records("invite")).map(({ outcome }) => outcome)).toEqual(["accepted"]);
  });

  test("has its effect once, in whatever session and process it is played again", async () => {
    const server = await AdministeredServer.start();
    const admin = server.identityOf(ADMIN);
    const order = await anInvite(server, admin);
    const first = await rawSession(server, admin);
    await first.session.sendObject(order, admin.participant.chain);
    await server.clock.advance(100);

    const again = await rawSession(server, admin);
    await again.session.sendObject(order, admin.participant.chain);
    await server.clock.advance(100);

    expect(first.done).toEqual(["the link works"]);
    expect([again.done, again.refusals]).toEqual([[], []]);
    expect(await server.records("invite")).toHaveLength(1);
  });

  test("of the server itself, brought by another, or altered on the way, has none", async () => {
    const server = await AdministeredServer.start();
    const admin = server.identityOf(ADMIN);
    const second = server.identityOf(SECOND_ADMIN);
    const { session, refusals, done } = await rawSession(server, second);

    const altered = (await anInvite(server, second)).slice();
    altered[altered.length - 40] = (altered[altered.length - 40] ?? 0) ^ 1;
    await session.sendObject(
      await anInvite(server, server.project.server),
      server.project.server.participant.chain,
    );
    await session.sendObject(await anInvite(server, admin), admin.participant.chain);
    await server.clock.advance(100);
    expect(refusals.map(({ code }) => code)).toEqual(["ERR_ENVELOPE_UNKNOWN_SENDER", "ERR_FORBIDDEN"]);
    await session.sendObject(altered, second.participant.chain);
    await server.clock.advance(100);

    expect(done).toEqual([]);
    expect(await server.records("invite")).toEqual([]);
  });
});

describe("a suspension", () => {
  const orderOf = ({ participant }: Identity) => ({
    leaf: participant.leafDigest,
    name: participant.name,
    org: participant.org,
    role: participant.role,
    reason: "lost laptop",
  });

  test("ends the session at once at every process, is refused again, and ends by a resumption", async () => {
    const server = await AdministeredServer.start();
    const other = await server.addProcess();
    const site = server.identityOf("site-1");
    const victim = await server.as(site, 1);
    const { administration } = await server.as(ADMIN);
    const atMs = server.clock.now();

    await server.run(administration.suspend({ kind: "suspend", ...orderOf(site) }));
    await other.revocations.reload(); // a process looks into the storage twice a second
    expect(await server.run(victim.ended)).toMatchObject({ code: "ERR_SUSPENDED", local: false });
    expect(server.clock.now() - atMs).toBeLessThan(1000);
    await expect(server.as(site)).rejects.toMatchObject({ code: "ERR_SUSPENDED" });

    await server.clock.advance(1);
    await server.run(administration.suspend({ kind: "resume", ...orderOf(site) }));
    await expect(server.as(site)).resolves.toBeDefined();
    expect((await server.records("suspend"))[0]).toMatchObject({
      reason: "lost laptop",
      outcome: "accepted",
    });
    expect(await server.records("resume")).toHaveLength(1);
  });

  test("outlasts a restart, is listed, and ends by itself", async () => {
    const server = await AdministeredServer.start();
    const site = server.identityOf("site-1");
    const { administration } = await server.as(ADMIN);
    await server.run(administration.suspend({ kind: "suspend", ...orderOf(site), lifetimeMs: 60_000 }));
    expect(await server.run(administration.certificates())).toContainEqual(
      expect.objectContaining({ name: "site-1", state: "suspended", reason: "lost laptop" }),
    );

    await server.addProcess();

    await expect(server.as(site, 1)).rejects.toMatchObject({ code: "ERR_SUSPENDED" });
    await server.clock.advance(60_000);
    await expect(server.as(site, 1)).resolves.toBeDefined();
  });

  test("is not undone by an older one that is played again, nor by an administrator of an organization", async () => {
    const server = await AdministeredServer.start();
    const site = server.identityOf("site-1");
    const { administration } = await server.as(ADMIN);
    const orgAdmin = (await server.as(ORG_ADMIN)).administration;
    await server.run(administration.suspend({ kind: "resume", ...orderOf(site) }));
    const [{ revocations }] = server.processes as [(typeof server.processes)[0]];
    const [old] = revocations.suspensions.held;
    await server.clock.advance(1000);
    await server.run(administration.suspend({ kind: "suspend", ...orderOf(site) }));

    expect(old !== undefined && (await revocations.suspensions.take(old))).toBe(false);
    await expect(server.run(orgAdmin.suspend({ kind: "resume", ...orderOf(site) }))).rejects.toMatchObject({
      code: "ERR_TYPE_UNKNOWN",
    });
    await expect(server.as(site)).rejects.toMatchObject({ code: "ERR_SUSPENDED" });
  });

  test("reaches whoever is connected, who then refuses what the suspended person signs and a server that is suspended", async () => {
    const server = await AdministeredServer.start();
    const watcher = await server.as(SECOND_ADMIN);
    const { administration } = await server.as(ADMIN);

    await server.run(administration.suspend({ kind: "suspend", ...orderOf(server.project.server) }));

    expect(await server.run(watcher.ended)).toMatchObject({ code: "ERR_SERVER_REVOKED", local: true });
  });

  test("of the own certificate is refused", async () => {
    const server = await AdministeredServer.start();
    const { administration } = await server.as(ADMIN);

    const own = orderOf(server.identityOf(ADMIN));

    await expect(server.run(administration.suspend({ kind: "suspend", ...own }))).rejects.toMatchObject({
      code: "ERR_FORBIDDEN",
    });
  });
});
