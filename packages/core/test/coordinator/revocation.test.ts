import { expect, test } from "vitest";
import { toHex } from "../../src/bytes/index.ts";
import { RevocationLists } from "../../src/pki/index.ts";
import { type Connection, sleep, webCrypto } from "../../src/platform/index.ts";
import { connectSession, type Session } from "../../src/session/index.ts";
import { TEST_EPOCH_MS, type TestProject, testProject } from "../../src/testing/index.ts";
import { TestFederation } from "./a-federation.ts";
import { RawSite } from "./raw-site.ts";

const SITES = ["site-1", "site-2"];

async function aFederation(): Promise<{ federation: TestFederation; project: TestProject }> {
  const project = await testProject({ sites: SITES, crypto: webCrypto() });
  return { project, federation: await TestFederation.start({ project }) };
}

function connectAs(
  connection: Connection,
  { federation, project }: { federation: TestFederation; project: TestProject },
): Promise<Session> {
  const identity = identityOf(project, "site-1");
  const { clock, crypto } = federation;
  const common = { project: "test", root: project.root.certificate.der, serverName: "hub" };
  return connectSession(connection, { ...common, identity }, { clock, crypto });
}

const identityOf = (project: TestProject, name: string) => {
  const identity = project.sites.get(name);
  if (identity === undefined) throw new Error(`the project has ${name}`);
  return identity;
};

test("the session of a certificate that a new list names ends in the same turn with ERR_REVOKED; others go on", async () => {
  const { federation, project } = await aFederation();
  const [bad, good] = [
    await RawSite.connect(federation, "site-1"),
    await RawSite.connect(federation, "site-2"),
  ];
  const atMs = federation.clock.now();

  await project.revocations.take(await project.revoke(identityOf(project, "site-1")));

  expect(await federation.clock.runUntil(bad.session.ended)).toMatchObject({
    code: "ERR_REVOKED",
    local: false,
  });
  expect(federation.clock.now()).toBe(atMs); // no time has passed at all
  expect(federation.coordinator.sites().map(({ name }) => name)).toEqual(["site-2"]);
  expect(good.session.signal.aborted).toBe(false);
  await federation.stop();
});

test("the connection of a revoked peer closes with 4012, also when it does not listen", async () => {
  const { federation, project } = await aFederation();
  const connection = await federation.connector("site-1").connect(new AbortController().signal);
  await federation.clock.runUntil(connectAs(connection, { federation, project }));
  await federation.clock.settle();

  await project.revocations.take(await project.revoke(identityOf(project, "site-1")));

  expect(await federation.clock.runUntil(connection.ended)).toMatchObject({ closeCode: 4012 });
  await federation.stop();
});

test("a list and what it ended are recorded", async () => {
  const { federation, project } = await aFederation();
  const { session } = await RawSite.connect(federation, "site-1");
  await project.revocations.take(await project.revoke(identityOf(project, "site-1")));
  await federation.clock.runUntil(session.ended);
  await federation.clock.settle();

  const events = (await federation.records()).map(({ event }) => event);

  expect(events.find(({ action }) => action === "revocation")).toMatchObject({
    actor: "system",
    object: "test root",
    outcome: "done",
    details: { number: 2, revoked: 1 },
  });
  expect(events.find(({ action }) => action === "revoked")).toMatchObject({
    object: "site-1",
    correlation: toHex(session.id),
    details: { leaf: toHex(identityOf(project, "site-1").participant.leafDigest), role: "site" },
  });
  await federation.stop();
});

test("a site whose certificate is revoked stops for good, says so and keeps its identity", async () => {
  const { federation, project } = await aFederation();
  const site = federation.site("site-1");
  await federation.clock.advance(1000);
  expect(site.status.activity).toBe("waiting");

  await project.revocations.take(await project.revoke(identityOf(project, "site-1")));
  await federation.clock.advance(1000);
  const connection = federation.connections.get("site-1");
  await federation.clock.advance(24 * 3_600_000);

  expect(site.status).toMatchObject({
    activity: "refused",
    retryAtMs: undefined,
    fault: { code: "ERR_REVOKED" },
  });
  expect(federation.connections.get("site-1")).toBe(connection); // no further attempt within a day
  await site.stop();
  expect(site.status.activity).toBe("stopped");
  await federation.stop();
});

test("a site that comes while it is revoked is refused once, and stops", async () => {
  const { federation, project } = await aFederation();
  await project.revocations.take(await project.revoke(identityOf(project, "site-1")));

  const site = federation.site("site-1");
  await federation.clock.advance(3_600_000);

  expect(site.status).toMatchObject({ activity: "refused", fault: { code: "ERR_REVOKED" } });
  await federation.stop();
});

test("a site goes on trying while it is the server's certificate that was revoked", async () => {
  const { federation, project } = await aFederation();
  await project.revocations.take(await project.revoke(project.server));

  const site = federation.site("site-1");
  await federation.clock.advance(60_000);

  expect(site.status).toMatchObject({ activity: "refused", fault: { code: "ERR_SERVER_REVOKED" } });
  expect(site.status.retryAtMs).toBeGreaterThan(federation.clock.now());
  await federation.stop();
});

test("sites hear of new lists of both CAs, and of the enrolment CA's when they come", async () => {
  const { federation, project } = await aFederation();
  const { crypto } = federation;
  const clock = { now: () => TEST_EPOCH_MS };
  const options = { project: "test", root: project.root.certificate.der };
  const revocations = new RevocationLists(options, { crypto, clock });
  federation.site("site-2", { modules: { revocations } });
  await federation.clock.advance(1000);
  expect(revocations.numbers().map(({ number }) => number)).toEqual([1, 1]);

  await project.revocations.take(await project.revoke(await project.enrol("page-1")));
  await project.revocations.take(await project.revoke(identityOf(project, "site-1")));
  await federation.clock.settle();

  expect(revocations.numbers().map(({ number }) => number)).toEqual([2, 2]);
  await federation.stop();
});

test("a list that comes between handshake and admission ends the session", async () => {
  const { federation, project } = await aFederation();
  const connection = await federation.connector("site-1").connect(new AbortController().signal);
  const identity = identityOf(project, "site-1");
  const { admit } = federation.coordinator;
  // The list comes in the turn in which the session would be admitted.
  federation.coordinator.admit = async (session) => {
    await project.revocations.take(await project.revoke(identity));
    await admit.call(federation.coordinator, session);
  };
  const session = connectAs(connection, { federation, project }).then((connected) => {
    connected.receive({ routes: [] });
    return connected.ended;
  });

  expect(await federation.clock.runUntil(session)).toMatchObject({ code: "ERR_REVOKED" });
  await federation.stop();
});

test("a list that comes before admission ends the session at once, however long its older one takes to end", async () => {
  const { federation, project } = await aFederation();
  await RawSite.connect(federation, "site-1");
  const older = federation.sessions.get("site-1");
  if (older === undefined) throw new Error("the server has a session of site-1");
  // As that of a peer that reads nothing any more.
  Object.assign(older, { close: () => sleep(federation.clock, 5000) });
  const { admit } = federation.coordinator;
  federation.coordinator.admit = async (session) => {
    await project.revocations.take(await project.revoke(identityOf(project, "site-1")));
    await admit.call(federation.coordinator, session);
  };
  const connection = await federation.connector("site-1").connect(new AbortController().signal);
  const newer = connectAs(connection, { federation, project }).then((connected) => {
    connected.receive({ routes: [] });
    return connected.ended;
  });

  const atMs = federation.clock.now();
  expect(await federation.clock.runUntil(newer)).toMatchObject({ code: "ERR_REVOKED" });
  expect(federation.clock.now()).toBe(atMs);
  await federation.stop();
});
