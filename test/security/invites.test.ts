import { toHex } from "@photinus/core/bytes";
import { createCertificateRequest, type Identity, loadIdentity } from "@photinus/core/pki";
import { parseJoinFragment } from "@photinus/core/provision";
import { type Enrolled, enrolOverSession } from "@photinus/core/session";
import { testProject } from "@photinus/core/testing";
import { expect, test } from "vitest";
import { atWork, clock, crypto, type Ground } from "./equipment/a-ground.ts";
import { logIn, refusalOf } from "./equipment/log-in.ts";
import { RawPeer } from "./equipment/raw-peer.ts";

const HOUR_MS = 3_600_000;

/** An invite for one guest. @returns the code of its link */
async function anInvite(ground: Ground, uses = 1): Promise<Uint8Array<ArrayBuffer>> {
  const fragment = await ground.server.invite({ org: "example", uses, expiresAtMs: clock.now() + HOUR_MS });
  return parseJoinFragment(fragment).code;
}

/** Enrols with a fresh key. */
async function enrol(
  ground: Ground,
  inviteCode: Uint8Array<ArrayBuffer>,
  options: { readonly commonName?: string; readonly rootFingerprint?: Uint8Array<ArrayBuffer> } = {},
): Promise<Enrolled & { readonly identity: () => Promise<Identity> }> {
  const { commonName = "guest-1", rootFingerprint = ground.project.root.certificate.digest } = options;
  const signingKey = await crypto.generateSigningKey(1);
  const request = await createCertificateRequest({ commonName }, signingKey, { crypto });
  const { project, serverName, root } = ground.common;
  const connection = await ground.connector.connect(new AbortController().signal);
  const enrolled = await enrolOverSession(
    connection,
    { project, serverName, rootFingerprint, inviteCode, request, signingKey },
    { clock, crypto },
  );
  const identity = () =>
    loadIdentity({ chain: enrolled.chain, signingKey }, { root, project, nowMs: clock.now() }, { crypto });
  return { ...enrolled, identity };
}

/** What the audit chain says of enrolments. */
async function enrolments(ground: Ground): Promise<readonly string[]> {
  return (await ground.events("enrol")).map(({ outcome, reason }) => `${outcome} ${reason}`.trim());
}

test("an invite that was used is refused to everybody else, with code and remedy", async () => {
  const { ground, job } = await atWork();
  const code = await anInvite(ground);
  await enrol(ground, code);

  const refusal = await refusalOf(enrol(ground, code));

  expect(refusal).toMatchObject({ code: "ERR_INVITE_REFUSED" });
  expect(await enrolments(ground)).toEqual(["accepted", "refused ERR_INVITE_REFUSED"]);
  await ground.survives(job);
});

test("two who take the last use of an invite at once: one gets it", async () => {
  const { ground, job } = await atWork();
  const code = await anInvite(ground);

  const outcomes = await Promise.allSettled(Array.from({ length: 4 }, () => enrol(ground, code)));

  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await ground.survives(job);
});

test("a guessed code is refused like a used one, and is in no log", async () => {
  const { ground, job } = await atWork();
  await anInvite(ground);
  const guess = crypto.randomBytes(16);

  const refusal = await refusalOf(enrol(ground, guess));

  expect(refusal).toMatchObject({ code: "ERR_INVITE_REFUSED" });
  expect(refusal.message).not.toMatch(/unknown code|used up|expired/);
  expect(await enrolments(ground)).toEqual(["refused ERR_INVITE_REFUSED"]);
  const written = [...ground.log.lines, JSON.stringify(await ground.records())].join("\n");
  expect(written).not.toContain(toHex(guess));
  await ground.survives(job);
});

test("neither code nor token nor key of anybody stands in the log, in the audit chain or in the storage's records", async () => {
  const { ground, job } = await atWork();
  const code = await anInvite(ground);
  const guest = await enrol(ground, code);
  const session = await logIn(ground, await guest.identity());
  session.receive({ routes: [] });
  const token = ground.server.tokens.issue({ kind: "server" });

  const stored = (await ground.storage.metadata.list("")).map(
    ({ key, value }) => `${key} ${Buffer.from(value).toString("latin1")}`,
  );
  const written = [...ground.log.lines, JSON.stringify(await ground.records()), ...stored].join("\n");

  for (const secret of [
    toHex(code),
    Buffer.from(code).toString("base64url"),
    Buffer.from(code).toString("latin1"),
  ]) {
    expect(written.includes(secret)).toBe(false);
  }
  expect(written.includes(token)).toBe(false);
  await session.close("ERR_GOING_AWAY");
  await ground.survives(job);
});

test("who enrols gets the name, role and organization of the invite, whatever the request asks for", async () => {
  const { ground, job } = await atWork();
  const code = await anInvite(ground, 2);

  const honest = await (await enrol(ground, code, { commonName: "honest" })).identity();
  const hub = await (await enrol(ground, code, { commonName: "hub" })).identity();

  for (const { participant } of [honest, hub]) {
    expect(participant).toMatchObject({ role: "site", org: "example" });
    expect(participant.name).toMatch(/^guest-\d+$/);
  }
  expect(honest.participant.name).not.toBe(hub.participant.name);
  await ground.survives(job);
});

test("a session that only enrols can do nothing else", async () => {
  const { ground, job } = await atWork();
  const code = await anInvite(ground);
  const guest = await enrol(ground, code);

  const peer = await RawPeer.connect(ground, await guest.identity());

  expect(peer.outcome.welcome.scope).toBe("full");
  expect((await ground.events("login")).filter(({ actor }) => actor.endsWith("guest-1"))).toHaveLength(1);
  await ground.survives(job);
});

test("a link to another root is refused before the code leaves the page", async () => {
  const { ground, job } = await atWork();
  const code = await anInvite(ground);
  const other = await testProject({ crypto, clock });

  const refusal = await refusalOf(enrol(ground, code, { rootFingerprint: other.root.certificate.digest }));

  expect(refusal).toMatchObject({ code: "ERR_CERTIFICATE_UNTRUSTED" });
  expect(await enrolments(ground)).toEqual([]);
  await enrol(ground, code);
  await ground.survives(job);
});

test("a request whose key is not that of the handshake is refused", async () => {
  const { ground, job } = await atWork();
  const inviteCode = await anInvite(ground);
  const [requested, signing] = [await crypto.generateSigningKey(1), await crypto.generateSigningKey(1)];
  const request = await createCertificateRequest({ commonName: "guest-1" }, requested, { crypto });
  const { project, serverName } = ground.common;
  const connection = await ground.connector.connect(new AbortController().signal);
  const rootFingerprint = ground.project.root.certificate.digest;

  const refusal = await refusalOf(
    enrolOverSession(
      connection,
      { project, serverName, rootFingerprint, inviteCode, request, signingKey: signing },
      { clock, crypto },
    ),
  );

  expect(refusal).toMatchObject({ code: "ERR_AUTH_FAILED" });
  expect(await enrolments(ground)).toEqual([]);
  await enrol(ground, inviteCode);
  await ground.survives(job);
});
