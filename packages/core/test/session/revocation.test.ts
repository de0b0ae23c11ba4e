import { sealObject } from "@photinus/core/envelope";
import { OBJECT_TYPES } from "@photinus/core/message";
import {
  ChainCache,
  createCertificateRequest,
  type Identity,
  issueRevocationList,
  metadataRevocationStore,
  RevocationLists,
} from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { enrolOverSession, revocationList } from "@photinus/core/session";
import {
  memoryMetadata,
  type SessionPairOptions,
  type SessionPairParts,
  sessionPair,
  sessionPairParts,
  TEST_EPOCH_MS,
  type TestProject,
  testProject,
  virtualClock,
} from "@photinus/core/testing";
import { expect, test } from "vitest";
import { acceptSession, connectSession } from "../../src/session/index.ts";

const crypto = webCrypto();
const clock = { now: () => TEST_EPOCH_MS };

function siteOf(project: TestProject): Identity {
  const site = project.sites.get("site-1");
  if (site === undefined) throw new Error("the project has site-1");
  return site;
}

/** What somebody else of the project knows: nothing yet. */
function freshLists(project: TestProject, store = memoryMetadata()): RevocationLists {
  return new RevocationLists(
    { project: "test", root: project.root.certificate.der },
    { crypto, clock, store: metadataRevocationStore(store) },
  );
}

/** Both codes of a handshake that fails. */
async function refusals(options: SessionPairOptions): Promise<readonly unknown[]> {
  return await handshake(await sessionPairParts(options));
}

async function handshake(parts: SessionPairParts): Promise<readonly unknown[]> {
  const { connections, connecting, accepting, modules } = parts;
  const outcomes = await Promise.allSettled([
    connectSession(connections.client, connecting, modules),
    acceptSession(connections.server, accepting, modules),
  ]);
  return outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : "session"));
}

test("a server refuses a site whose certificate was revoked, and tells it inside the session", async () => {
  const project = await testProject();
  await project.revocations.take(await project.revoke(siteOf(project)));

  expect(await refusals({ project })).toEqual(["ERR_REVOKED", "ERR_REVOKED"]);
  expect(await refusals({ project, identity: project.sites.get("site-2") as Identity })).toEqual([
    "session",
    "session",
  ]);
});

test("a chain that was validated and cached is refused as soon as a new list names it", async () => {
  const project = await testProject();
  const modules = { chainCache: new ChainCache() };
  expect(await refusals({ project, modules })).toEqual(["session", "session"]);

  await project.revocations.take(await project.revoke(siteOf(project)));

  expect(await refusals({ project, modules })).toEqual(["ERR_REVOKED", "ERR_REVOKED"]);
});

test("a server refuses a page whose certificate the enrolment CA revoked, and admits the others", async () => {
  const project = await testProject();
  const [bad, good] = [await project.enrol("page-1"), await project.enrol("page-2")];
  await project.revocations.take(await project.revoke(bad));

  expect(await refusals({ project, identity: bad })).toEqual(["ERR_REVOKED", "ERR_REVOKED"]);
  expect(await refusals({ project, identity: good })).toEqual(["session", "session"]);
});

test("a server without a list of the enrolment CA admits no page", async () => {
  const project = await testProject();
  const revocations = freshLists(project);
  await revocations.take({ list: project.revocations.ofRoot?.der as never });

  const codes = await refusals({
    project,
    identity: await project.enrol("page-1"),
    server: { revocations },
  });

  expect(codes).toEqual(["ERR_CRL_MISSING", "ERR_CRL_MISSING"]);
});

test("a client refuses a server whose certificate was revoked, with a code of its own", async () => {
  const project = await testProject();
  await project.revocations.take(await project.revoke(project.server));

  expect(await refusals({ project })).toEqual(["ERR_SERVER_REVOKED", "ERR_AUTH_FAILED"]);
});

test("a client refuses a server that goes back to an older list, also after a restart", async () => {
  const project = await testProject();
  const metadata = memoryMetadata();
  const older = freshLists(project);
  await older.take({ list: project.revocations.ofRoot?.der as never });
  await project.revocations.take(await project.revoke(siteOf(project)));
  const identity = project.sites.get("site-2") as Identity;
  const before = { revocations: freshLists(project, metadata) };
  expect(await refusals({ project, identity, client: before })).toEqual(["session", "session"]);

  const after = { revocations: freshLists(project, metadata) };
  const codes = await refusals({ project, identity, client: after, server: { revocations: older } });

  expect(codes).toEqual(["ERR_CRL_ROLLBACK", "ERR_AUTH_FAILED"]);
});

test("nobody is admitted by a list that is out of date, at either side", async () => {
  const project = await testProject();
  const request = { number: 7, nowMs: TEST_EPOCH_MS - 1000, lifetimeMs: 500, revoked: [] };
  const { der } = await issueRevocationList(request, project.root, { crypto });
  await project.revocations.take({ list: der });
  expect(await refusals({ project })).toEqual(["ERR_CRL_STALE", "ERR_AUTH_FAILED"]);

  // A client whose clock is behind finds nothing wrong: the server does.
  const behind = { now: () => TEST_EPOCH_MS - 60_000 };
  const root = project.root.certificate.der;
  const client = { revocations: new RevocationLists({ project: "test", root }, { crypto, clock: behind }) };
  const lists = new RevocationLists({ project: "test", root }, { crypto, clock });
  await lists.take({ list: der });
  const codes = await refusals({ project, client, server: { revocations: lists } });
  expect(codes).toEqual(["ERR_CRL_STALE", "ERR_CRL_STALE"]);
});

test("a server without a list admits nobody, and enrols nobody", async () => {
  const project = await testProject();
  const revocations = freshLists(project);
  expect(await refusals({ project, server: { revocations } })).toEqual([
    "ERR_CRL_MISSING",
    "ERR_AUTH_FAILED",
  ]);

  const parts = await sessionPairParts({ project, server: { revocations } });
  const signingKey = await crypto.generateSigningKey(1);
  const enrolling = enrolOverSession(
    parts.connections.client,
    {
      project: "test",
      serverName: "hub",
      rootFingerprint: project.root.certificate.digest,
      inviteCode: new Uint8Array(16),
      request: new Uint8Array(100),
      signingKey,
    },
    parts.modules,
  );
  const accepted = acceptSession(parts.connections.server, parts.accepting, parts.modules);
  const codes = await Promise.allSettled([enrolling, accepted]);
  expect(codes.map((outcome) => outcome.status === "rejected" && outcome.reason.code)).toEqual([
    "ERR_CRL_MISSING",
    "ERR_AUTH_FAILED",
  ]);
});

test("a server whose list is out of date enrols nobody, though the clock of who asks is behind and finds it right", async () => {
  const project = await testProject();
  const behind = virtualClock({ startMs: TEST_EPOCH_MS - 60_000 });
  const request = { number: 7, nowMs: TEST_EPOCH_MS - 120_000, lifetimeMs: 90_000, revoked: [] };
  const { der } = await issueRevocationList(request, project.root, { crypto });
  const root = project.root.certificate.der;
  const revocations = new RevocationLists({ project: "test", root }, { crypto, clock });
  await revocations.take({ list: der });
  const parts = await sessionPairParts({ project, server: { revocations } });
  const signingKey = await crypto.generateSigningKey(1);
  const enrolling = enrolOverSession(
    parts.connections.client,
    {
      ...{ project: "test", serverName: "hub", inviteCode: new Uint8Array(16), signingKey },
      rootFingerprint: project.root.certificate.digest,
      request: await createCertificateRequest({ commonName: "guest" }, signingKey, { crypto }),
    },
    { crypto, clock: behind },
  );
  const accepted = acceptSession(parts.connections.server, parts.accepting, parts.modules);

  const outcomes = await Promise.allSettled([enrolling, accepted]);

  expect(outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason.code)).toEqual([
    "ERR_CRL_STALE",
    "ERR_CRL_STALE",
  ]);
});

test("a list that is pushed is checked and kept; an older one is answered and has no effect", async () => {
  const project = await testProject();
  const revocations = freshLists(project);
  const pair = await sessionPair({ project, client: { revocations } });
  const refused = new Promise<string>((resolve) => {
    pair.server.receive({ routes: [], onRefused: ({ code }) => resolve(code) });
  });
  pair.client.receive({ routes: [] });
  const issuer = project.root.certificate.der;
  const second = await project.revoke(project.sites.get("site-2") as Identity);
  const older = project.revocations.ofRoot?.der as never;

  await pair.server.send(revocationList, { list: second.list, issuer });
  await pair.server.send(revocationList, { list: older, issuer });

  expect(await pair.clock.runUntil(refused)).toBe("ERR_CRL_ROLLBACK");
  expect(revocations.ofRoot?.number).toBe(2);
  expect(pair.client.signal.aborted).toBe(false);
});

test("a list of another project that is pushed is refused", async () => {
  const [project, other] = [await testProject(), await testProject()];
  const pair = await sessionPair({ project });
  const refused = new Promise<string>((resolve) => {
    pair.server.receive({ routes: [], onRefused: ({ detail }) => resolve(detail) });
  });
  pair.client.receive({ routes: [] });

  await pair.server.send(revocationList, {
    list: other.revocations.ofRoot?.der as never,
    issuer: other.root.certificate.der,
  });

  expect(await pair.clock.runUntil(refused)).toContain("ERR_CERTIFICATE_");
});

test("a session ends when a pushed list names the server", async () => {
  const project = await testProject();
  const pair = await sessionPair({ project });
  pair.client.receive({ routes: [] });
  pair.server.receive({ routes: [] });

  const next = await project.revoke(project.server);
  await pair.server.send(revocationList, { list: next.list, issuer: project.root.certificate.der });

  expect(await pair.clock.runUntil(pair.client.ended)).toMatchObject({
    code: "ERR_SERVER_REVOKED",
    local: true,
  });
});

test("a list from a client is refused: clients do not push", async () => {
  const project = await testProject();
  const pair = await sessionPair({ project });
  const refused: string[] = [];
  pair.client.receive({ routes: [], onRefused: ({ code }) => void refused.push(code) });
  pair.server.receive({ routes: [] });
  const next = await project.revoke(siteOf(project));

  await pair.client.send(revocationList, { list: next.list, issuer: project.root.certificate.der });
  await pair.clock.settle();

  expect(refused).toEqual(["ERR_TYPE_UNKNOWN"]);
  expect(project.revocations.ofRoot?.number).toBe(1);
});

test("the object of a signer who was revoked meanwhile is refused", async () => {
  const project = await testProject();
  const lead = project.users.get("lead@example.org") as Identity;
  const { ChainDirectory } = await import("../../src/envelope/index.ts");
  const options = { project: "test", root: project.root.certificate.der };
  const chains = new ChainDirectory(options, { crypto, revocation: project.revocations });
  await chains.add(lead.participant.chain, TEST_EPOCH_MS);
  await project.revocations.take(await project.revoke(lead));

  await expect(chains.require(lead.participant.leafDigest, TEST_EPOCH_MS)).rejects.toMatchObject({
    code: "ERR_SIGNER_REVOKED",
  });
});

test("an object of a signer who was revoked is refused, and the session that brings it goes on", async () => {
  const project = await testProject();
  const lead = project.users.get("lead@example.org") as Identity;
  const pair = await sessionPair({ project });
  let objects = 0;
  pair.client.receive({
    routes: [],
    onObject: () => {
      objects++;
    },
  });
  const refused: string[] = [];
  pair.server.receive({ routes: [], onRefused: ({ detail }) => void refused.push(detail) });
  const object = await sealObject(
    {
      objectType: OBJECT_TYPES.job,
      audience: "all",
      objectId: crypto.randomBytes(16),
      issuedAt: TEST_EPOCH_MS,
      lifetimeMs: 60_000,
      payload: new Uint8Array(3),
    },
    { identity: lead, crypto },
  );

  await pair.server.send(revocationList, {
    issuer: project.root.certificate.der,
    ...(await project.revoke(lead)),
  });
  await pair.server.sendObject(object, lead.participant.chain);
  await expect.poll(() => refused.length).toBe(2);

  expect(refused[0]).toContain("ERR_SIGNER_REVOKED");
  expect(objects).toBe(0);
  expect(pair.client.signal.aborted).toBe(false);
});
