import { expect, test } from "vitest";
import { type Bytes, equalBytes, toHex } from "../../src/bytes/index.ts";
import { PkiError } from "../../src/errors/index.ts";
import {
  createCertificateRequest,
  issueParticipant,
  loadIdentity,
  openCertificateRequest,
  requireName,
  subjectOf,
} from "../../src/pki/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
  acceptSession,
  connectSession,
  type EnrolmentAuthority,
  type EnrolOptions,
  enrolOverSession,
} from "../../src/session/index.ts";
import { sessionPair, sessionPairParts, TEST_EPOCH_MS, testProject } from "../../src/testing/index.ts";
import { FRAME_KIND, readFrame } from "../../src/wire/index.ts";

const crypto = webCrypto();
const project = await testProject();
const CODE = crypto.randomBytes(16);
const signingKey = await crypto.generateSigningKey(1);
const request = await createCertificateRequest({ commonName: "page-1" }, signingKey, { crypto });
const root = project.root.certificate.der;
const rootFingerprint = await crypto.sha256(root);

/** Issues for one code, under the enrolment CA of the test project. */
const authority: EnrolmentAuthority = {
  async redeem(code, der) {
    if (!equalBytes(code, CODE)) throw new PkiError("ERR_INVITE_REFUSED", "unknown code");
    const { publicKey } = await openCertificateRequest(der, { crypto });
    return { chain: await issue(publicKey.spki) };
  },
};

async function issue(publicKey: Bytes): Promise<Bytes[]> {
  const leaf = await issueParticipant(
    {
      subject: subjectOf("test", "site", "page-1")!,
      org: requireName("example", "org"),
      publicKey,
      inviteDigest: new Uint8Array(32),
      nowMs: TEST_EPOCH_MS,
    },
    project.enrolmentCa,
    { crypto },
  );
  return [leaf.der, project.enrolmentCa.certificate.der];
}

async function enrolling(
  change: Partial<EnrolOptions> = {},
  enrolment: EnrolmentAuthority | undefined = authority,
) {
  const parts = await sessionPairParts({
    project,
    server: enrolment === undefined ? {} : { enrolment },
    transport: { record: true },
  });
  const { connections, accepting, modules } = parts;
  const options: EnrolOptions = {
    project: "test",
    serverName: "hub",
    rootFingerprint,
    inviteCode: CODE,
    request,
    signingKey,
    ...change,
  };
  const [client, server] = await Promise.allSettled([
    enrolOverSession(connections.client, options, modules),
    acceptSession(connections.server, accepting, modules),
  ]);
  return { client, server, ...parts };
}

const code = (result: PromiseSettledResult<unknown>): unknown =>
  result.status === "rejected" ? result.reason.code : "ok";

test("the code of a link yields a certificate and the root, and the session ends", async () => {
  const { client, server, clock } = await enrolling();
  await clock.settle();

  if (client.status !== "fulfilled" || server.status !== "fulfilled") throw new Error("did not enrol");
  expect(toHex(client.value.root)).toBe(toHex(root));
  expect(server.value).toMatchObject({ scope: "enrol", peer: { name: "page-1", role: "site" } });
  expect(await server.value.ended).toMatchObject({ local: true });
  expect(clock.pendingTimers).toBe(0);

  const identity = await loadIdentity(
    { chain: client.value.chain, signingKey },
    { root, project: "test", nowMs: TEST_EPOCH_MS },
    { crypto },
  );
  const pair = await sessionPair({ project, identity });
  expect(pair.server.peer.name).toBe("page-1");
});

test("the code leaves only after the server has proved itself, and encrypted", async () => {
  const { connections } = await enrolling();
  const hex = toHex(CODE);

  expect(connections.sentByClient.some((frame) => toHex(frame).includes(hex))).toBe(false);
});

test("a root other than that of the link gets no code", async () => {
  const { client, server, connections } = await enrolling({ rootFingerprint: new Uint8Array(32) });

  expect(code(client)).toBe("ERR_CERTIFICATE_UNTRUSTED");
  expect(code(server)).toBe("ERR_AUTH_FAILED");
  const kinds = connections.sentByClient.map((bytes) => readFrame(bytes).kind);
  expect(kinds).toEqual([FRAME_KIND.handshake1, FRAME_KIND.error]);
});

test("an unknown code is refused, and told encrypted", async () => {
  const { client, server, connections } = await enrolling({ inviteCode: new Uint8Array(16) });

  expect([code(client), code(server)]).toEqual(["ERR_INVITE_REFUSED", "ERR_INVITE_REFUSED"]);
  const kinds = connections.sentByServer.map((bytes) => readFrame(bytes).kind);
  expect(kinds).toEqual([FRAME_KIND.handshake2, FRAME_KIND.session]);
});

test("a server without an authority refuses to enrol", async () => {
  const { connections, accepting, modules } = await sessionPairParts({ project });
  const [client, server] = await Promise.allSettled([
    enrolOverSession(
      connections.client,
      { project: "test", serverName: "hub", rootFingerprint, inviteCode: CODE, request, signingKey },
      modules,
    ),
    acceptSession(connections.server, accepting, modules),
  ]);

  expect([code(client), code(server)]).toEqual(["ERR_INVITE_REFUSED", "ERR_INVITE_REFUSED"]);
});

test("a request of another key than the one that signs the handshake is refused", async () => {
  const { client, server } = await enrolling({ signingKey: await crypto.generateSigningKey(1) });

  expect([code(client), code(server)]).toEqual(["ERR_AUTH_FAILED", "ERR_AUTH_FAILED"]);
});

test("a request that is no request is refused", async () => {
  const { server } = await enrolling({ request: new Uint8Array(100) });

  expect(code(server)).toBe("ERR_REQUEST_MALFORMED");
});

test("a certificate for another key is not taken", async () => {
  const foreign = await crypto.generateSigningKey(1);
  const dishonest: EnrolmentAuthority = { redeem: async () => ({ chain: await issue(foreign.publicKey) }) };
  const { client } = await enrolling({}, dishonest);

  expect(code(client)).toBe("ERR_CERTIFICATE_NAME");
});

test("an authority that issues rubbish does not reach the client", async () => {
  const broken: EnrolmentAuthority = { redeem: async () => ({ chain: [new Uint8Array(10)] }) };
  const { client, server } = await enrolling({}, broken);

  expect(code(server)).toBe("ERR_CERTIFICATE_MALFORMED");
  expect(code(client)).toBe("ERR_AUTH_FAILED");
});

test("a session is not opened with what offers enrolment only", async () => {
  // A server cannot lower a client with a certificate to enrolment: its WELCOME would have to say so.
  const { connections, connecting, accepting, modules } = await sessionPairParts({ project });
  const [session] = await Promise.all([
    connectSession(connections.client, connecting, modules),
    acceptSession(connections.server, { ...accepting, enrolment: authority }, modules),
  ]);

  expect(session.scope).toBe("full");
});
