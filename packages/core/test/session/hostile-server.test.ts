import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { writePositional } from "../../src/decomposer/index.ts";
import { issueToken, type TokenRequest, writeError } from "../../src/envelope/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { Deadline, FrameChannel } from "../../src/session/frame-channel.ts";
import { HandshakeExchange } from "../../src/session/handshake.ts";
import {
  decodeClientHello,
  decodeOffer,
  decodeServerHello,
  encodeServerHello,
  highestCommonVersion,
  type ServerHello,
  signedPartOfServer,
} from "../../src/session/handshake-payloads.ts";
import { connectSession, type Session } from "../../src/session/index.ts";
import type { Welcome } from "../../src/session/welcome.ts";
import { sessionPairParts, TEST_EPOCH_MS, testProject } from "../../src/testing/index.ts";
import { FRAME_KIND, HandshakeState, prologueOf, RECORD_LIMITS, writeFrame } from "../../src/wire/index.ts";
import { aWelcome } from "./a-welcome.ts";

const crypto = webCrypto();
const project = await testProject();
const stranger = await testProject();
const site = project.sites.get("site-1")!.participant;
const serverKeyId = await crypto.sha256(project.server.signingKey.publicKey);

/** What a dishonest server does differently from an honest one; it holds the true key of the project's server. */
interface Dishonesty {
  readonly hello?: Partial<ServerHello>;
  readonly welcome?: Partial<Welcome>;
  readonly clientToken?: Partial<TokenRequest>;
  readonly serverToken?: Partial<TokenRequest>;
  /** In place of WELCOME. */
  readonly firstFrame?: Bytes;
  /** Signs tokens with another key. */
  readonly tokenKey?: typeof project.server.signingKey;
}

/** Connects an honest client to a dishonest server. @returns the code with which it refuses, or its session */
async function connectTo(dishonesty: Dishonesty): Promise<string | Session> {
  const { connections, connecting, modules, clock } = await sessionPairParts({ project });
  const channel = new FrameChannel(connections.server);
  const serve = async (): Promise<void> => {
    const noise = await HandshakeState.start(
      { initiator: false, prologue: prologueOf("test"), staticKey: await crypto.generateAgreementKey() },
      modules,
    );
    const exchange = new HandshakeExchange(noise, { channel, deadline: new Deadline(clock, 1e6), crypto });
    await exchange.read(FRAME_KIND.handshake1);
    const hello: ServerHello = {
      version: 1,
      versions: [1],
      chain: project.server.participant.chain,
      root: project.root.certificate.der,
      revocationList: project.revocations.ofRoot?.der,
      algorithm: 1,
      ...dishonesty.hello,
    };
    await exchange.write(FRAME_KIND.handshake2, async (hash) => {
      const signed = { hash, part: signedPartOfServer(hello) };
      return encodeServerHello(hello, await exchange.sign("server", project.server.signingKey, signed));
    });
    decodeClientHello((await exchange.read(FRAME_KIND.handshake3)).payload);
    const { sender, sid } = await exchange.records(RECORD_LIMITS);
    const issuing = { key: dishonesty.tokenKey ?? project.server.signingKey, crypto };
    const request = { sid, nowMs: TEST_EPOCH_MS, serverKeyId };
    const client = await issueToken({ ...request, holder: site, ...dishonesty.clientToken }, issuing);
    const server = await issueToken(
      { ...request, holder: project.server.participant, ...dishonesty.serverToken },
      issuing,
    );
    const welcome = aWelcome({
      clientToken: client.bytes,
      serverToken: server.bytes,
      ...dishonesty.welcome,
    });
    channel.send(await sender.seal(dishonesty.firstFrame ?? welcome));
  };
  const serving = serve().catch(() => undefined); // the client hangs up on it
  try {
    return await connectSession(connections.client, connecting, modules);
  } catch (error) {
    return String((error as { code?: unknown }).code);
  } finally {
    await serving;
  }
}

test("a client opens a session with this server when it is honest", async () => {
  expect(await connectTo({})).toMatchObject({ scope: "full" });
});

test.for([
  ["chooses a version that was not offered", { version: 2, versions: [1, 2] }, "ERR_VERSION_UNSUPPORTED"],
  ["chooses version 0", { version: 0, versions: [0, 1] }, "ERR_VERSION_UNSUPPORTED"],
  ["hides the common version", { version: 1, versions: [2] }, "ERR_VERSION_UNSUPPORTED"],
  ["brings another root", { root: stranger.root.certificate.der }, "ERR_CERTIFICATE_UNTRUSTED"],
  ["brings no revocation list", { revocationList: undefined }, "ERR_CRL_MISSING"],
  ["brings rubbish for a revocation list", { revocationList: new Uint8Array(50) }, "ERR_CRL_MALFORMED"],
  [
    "brings the revocation list of another project",
    { revocationList: stranger.revocations.ofRoot?.der },
    "ERR_CRL_UNTRUSTED",
  ],
  [
    "brings the revocation list of the enrolment CA for that of the root",
    { revocationList: project.revocations.held[1]?.list.der },
    "ERR_CRL_UNTRUSTED",
  ],
  [
    "brings a revocation list of more than 32 KiB",
    { revocationList: new Uint8Array(32_769) },
    "ERR_DECODE_REFUSED",
  ],
  ["names another algorithm than its key's", { algorithm: 3 }, "ERR_AUTH_FAILED"],
  ["brings rubbish for a chain", { chain: [new Uint8Array(100)] }, "ERR_CERTIFICATE_MALFORMED"],
  ["brings no chain", { chain: [] }, "ERR_DECODE_REFUSED"],
  ["brings five certificates", { chain: Array(5).fill(new Uint8Array(10)) }, "ERR_DECODE_REFUSED"],
  ["brings a certificate of more than 8 KiB", { chain: [new Uint8Array(8193)] }, "ERR_DECODE_REFUSED"],
] as const)("a client refuses a server that %s", async ([, hello, code]) => {
  expect(await connectTo({ hello })).toBe(code);
});

test.for([
  ["no token", { clientToken: undefined }, "ERR_TOKEN_UNKNOWN"],
  [
    "an older revocation list than the one in message 2",
    { revocationNumbers: [{ issuer: project.root.certificate.digest, number: 0 }] },
    "ERR_CRL_ROLLBACK",
  ],
  ["enrolment only", { scope: "enrol" }, "ERR_AUTH_FAILED"],
  ["a clock six minutes behind", { serverClockMs: TEST_EPOCH_MS - 360_000 }, "ERR_CLOCK_SKEW"],
  ["rubbish for a token", { serverToken: new Uint8Array(10) }, "ERR_DECODE_REFUSED"],
] as const)("a client refuses a WELCOME with %s", async ([, welcome, code]) => {
  expect(await connectTo({ welcome })).toBe(code);
});

test.for([
  ["for another session", { clientToken: { sid: new Uint8Array(32) } }, "ERR_TOKEN_UNKNOWN"],
  [
    "for another holder",
    { clientToken: { holder: project.sites.get("site-2")!.participant } },
    "ERR_TOKEN_UNKNOWN",
  ],
  ["that has expired", { clientToken: { nowMs: TEST_EPOCH_MS - 1e6 } }, "ERR_TOKEN_EXPIRED"],
  ["of the server for somebody else", { serverToken: { holder: site } }, "ERR_TOKEN_UNKNOWN"],
] as const)("a client refuses a token %s", async ([, dishonesty, code]) => {
  expect(await connectTo(dishonesty)).toBe(code);
});

test("a client refuses tokens that another key signed", async () => {
  expect(await connectTo({ tokenKey: stranger.server.signingKey })).toBe("ERR_TOKEN_UNKNOWN");
});

test.for([
  ["a message", writeFrame(FRAME_KIND.message, {}), "ERR_FRAME_MALFORMED"],
  [
    "a WELCOME with a header",
    writeFrame(FRAME_KIND.welcome, { header: writePositional([1]) }),
    "ERR_FRAME_MALFORMED",
  ],
  [
    "a WELCOME of another shape",
    writeFrame(FRAME_KIND.welcome, { payload: writePositional([1]) }),
    "ERR_DECODE_REFUSED",
  ],
  ["an ERROR", writeError({ code: "ERR_BUSY", detail: "full" }), "ERR_BUSY"],
  [
    "an ERROR of a code that it does not know",
    writeError({ code: "ERR_JOB_UNKNOWN", detail: "" }),
    "ERR_AUTH_FAILED",
  ],
] as const)("a client takes %s in place of WELCOME for what it is", async ([, firstFrame, code]) => {
  expect(await connectTo({ firstFrame })).toBe(code);
});

test("the highest common version is chosen, whatever the order of the lists", () => {
  expect(highestCommonVersion([1, 3, 2], [2, 3, 9])).toBe(3);
  expect(highestCommonVersion([1], [1])).toBe(1);
  expect(highestCommonVersion([1], [2, 3])).toBeUndefined();
});

test("handshake payloads of hostile bytes are refused, never misread", () => {
  const refused = expect.objectContaining({
    code: expect.stringMatching(/^ERR_(DECODE_REFUSED|TOO_LARGE)$/),
  });
  for (const bytes of [new Uint8Array(0), new Uint8Array(3000), new Uint8Array(2048).fill(0x91)]) {
    expect(() => decodeOffer(bytes)).toThrow(refused);
    expect(() => decodeServerHello(bytes)).toThrow(refused);
    expect(() => decodeClientHello(bytes)).toThrow(refused);
  }
});

test.for([
  ["neither chain nor request", [[], null, null, 1, new Uint8Array(64), null, null]],
  ["a code without a request", [[], null, new Uint8Array(16), 1, new Uint8Array(64), null, null]],
  ["both", [[new Uint8Array(9)], new Uint8Array(9), new Uint8Array(16), 1, new Uint8Array(64), null, null]],
] as const)("message 3 with %s is refused", ([, positions]) => {
  expect(() => decodeClientHello(writePositional(positions))).toThrow(
    expect.objectContaining({ code: "ERR_FRAME_MALFORMED" }),
  );
});

test("message 3 with a request without a code is somebody who waits to be approved, or renews", () => {
  const request = new Uint8Array(9);

  const { payload } = decodeClientHello(
    writePositional([[], request, null, 1, new Uint8Array(64), null, null]),
  );

  expect(payload.enrolment).toEqual({ request, code: undefined });
});
