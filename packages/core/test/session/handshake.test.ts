import { expect, test } from "vitest";
import { type Bytes, concatBytes, equalBytes, toHex, utf8 } from "../../src/bytes/index.ts";
import { writeError } from "../../src/envelope/index.ts";
import { WireError } from "../../src/errors/index.ts";
import { type AgreementKey, webCrypto } from "../../src/platform/index.ts";
import { acceptSession, connectSession, on } from "../../src/session/index.ts";
import {
  type SessionPairOptions,
  type SessionPairParts,
  sessionPair,
  sessionPairParts,
  TEST_EPOCH_MS,
  testProject,
} from "../../src/testing/index.ts";
import { FRAME_KIND, readFrame, writeFrame } from "../../src/wire/index.ts";
import { note } from "./messages.ts";

const crypto = webCrypto();
const project = await testProject();
const stranger = await testProject();
const other = await testProject({ project: "other" });
const site = project.sites.get("site-1")!;
const DAY_MS = 86_400_000;

interface Outcome {
  /** Code of what each side threw, or "ok". */
  readonly client: string;
  readonly server: string;
  /** ERROR frames that the server sent in clear. */
  readonly clear: readonly string[];
  readonly parts: SessionPairParts;
  readonly clientError: unknown;
}

const codeOf = (result: PromiseSettledResult<unknown>): string =>
  result.status === "fulfilled" ? "ok" : String((result.reason as { code?: string }).code ?? result.reason);

/** Runs one handshake to its end, whatever that is. */
async function outcomeOf(options: SessionPairOptions): Promise<Outcome> {
  const parts = await sessionPairParts({
    project,
    ...options,
    transport: { record: true, ...options.transport },
  });
  const { connections, connecting, accepting, modules, clock } = parts;
  const both = Promise.allSettled([
    connectSession(connections.client, connecting, modules),
    acceptSession(connections.server, accepting, modules),
  ]);
  const [client, server] = await clock.runUntil(both, 60_000);
  const clear = connections.sentByServer
    .map((bytes) => readFrame(bytes))
    .filter(({ kind }) => kind === FRAME_KIND.error)
    .map(({ header }) => toHex(header));
  const clientError = client.status === "rejected" ? client.reason : undefined;
  return { client: codeOf(client), server: codeOf(server), clear, parts, clientError };
}

const CLEAR_AUTH_FAILED = toHex(readFrame(writeError({ code: "ERR_AUTH_FAILED", detail: "" })).header);

test("client and server agree, and nothing of the session travels in clear", async () => {
  const { client, server, parts } = await outcomeOf({});

  expect([client, server]).toEqual(["ok", "ok"]);
  const kinds = (frames: readonly Bytes[]) => frames.map((bytes) => readFrame(bytes).kind);
  expect(kinds(parts.connections.sentByClient)).toEqual([FRAME_KIND.handshake1, FRAME_KIND.handshake3]);
  expect(kinds(parts.connections.sentByServer)).toEqual([FRAME_KIND.handshake2, FRAME_KIND.session]);
});

test("certificates travel encrypted in message 3", async () => {
  const { parts } = await outcomeOf({});
  const name = toHex(utf8("site-1"));

  expect(parts.connections.sentByClient.some((frame) => toHex(frame).includes(name))).toBe(false);
});

test("a user connects as well", async () => {
  const identity = project.users.get("lead@example.org")!;
  const { server } = await sessionPair({ project, identity });

  expect(server.peer).toMatchObject({ name: "lead@example.org", role: "lead", org: "example" });
});

test("a site that enrolled connects with its short-lived certificate", async () => {
  const { server } = await sessionPair({ project, identity: await project.enrol("browser-1") });

  expect(server.peer).toMatchObject({ name: "browser-1", role: "site" });
});

// What the client refuses. The server learns that it ended, not why.

test.for([
  [
    "a server with a foreign root",
    { server: { root: stranger.root.certificate.der } },
    "ERR_CERTIFICATE_UNTRUSTED",
  ],
  [
    "a server whose chain ends at a foreign root that it hides",
    { server: { identity: stranger.server } },
    "ERR_CERTIFICATE",
  ],
  [
    "a server of another name",
    { client: { serverName: "hub2" }, server: { identity: project.server } },
    "ERR_AUTH_FAILED",
  ],
  [
    "a site that acts as the server",
    { server: { identity: site }, client: { serverName: "site-1" } },
    "ERR_CERTIFICATE_PURPOSE",
  ],
] as const)("a client refuses %s", async ([, options, code]) => {
  const outcome = await outcomeOf(options);

  expect(outcome.client).toContain(code);
  expect(outcome.server).not.toBe("ok");
});

test("a client refuses a server certificate with another name than the one it wants", async () => {
  const impostor = await project.add("server", "hub2");
  // The impostor takes the offer for hub, as a dishonest server would.
  const lying = { ...impostor, participant: { ...impostor.participant, name: "hub" } };

  const outcome = await outcomeOf({ server: { identity: lying } });

  expect(outcome.client).toBe("ERR_CERTIFICATE_NAME");
});

test("a client refuses an expired server before it says who it is", async () => {
  const clockMs = TEST_EPOCH_MS - 400 * DAY_MS;
  const expired = await testProject({ clock: { now: () => clockMs } });
  const outcome = await outcomeOf({ project: expired });

  expect(outcome.client).toBe("ERR_CERTIFICATE_EXPIRED");
  const kinds = outcome.parts.connections.sentByClient.map((bytes) => readFrame(bytes).kind);
  expect(kinds).toEqual([FRAME_KIND.handshake1, FRAME_KIND.error]);
});

test("a client refuses a server that signs with another key than its certificate's", async () => {
  const signingKey = await crypto.generateSigningKey(1);
  const outcome = await outcomeOf({ server: { identity: { ...project.server, signingKey } } });

  expect(outcome.client).toBe("ERR_AUTH_FAILED");
});

test("a client and a server of different projects never understand each other", async () => {
  const outcome = await outcomeOf({
    server: {
      project: "other",
      identity: other.server,
      root: other.root.certificate.der,
    },
  });

  expect(outcome.client).toBe("ERR_AUTH_FAILED");
  expect(outcome.server).toBe("ERR_AUTH_FAILED");
});

// What the server refuses after the signature: told inside the session.

test.for([
  ["of a foreign root", { identity: stranger.sites.get("site-1")! }, "ERR_CERTIFICATE_"],
  ["of another project", { identity: other.sites.get("site-1")! }, "ERR_CERTIFICATE_"],
  ["of a server", { identity: project.server }, "ERR_CERTIFICATE_PURPOSE"],
  ["of a role that may not connect", { server: { roles: ["lead"] } }, "ERR_CERTIFICATE_PURPOSE"],
] as const)("a server refuses a client certificate %s, and tells it encrypted", async ([, options, code]) => {
  const outcome = await outcomeOf(options as SessionPairOptions);

  expect(outcome.server).toContain(code);
  expect(outcome.clear).toEqual([]);
  expect(outcome.client).toBe("ERR_AUTH_FAILED");
  expect(String(outcome.clientError)).toContain(code);
});

test("a server refuses an expired client, and tells it so encrypted", async () => {
  let nowMs = TEST_EPOCH_MS - 400 * DAY_MS;
  const aged = await testProject({ clock: { now: () => nowMs } });
  nowMs = TEST_EPOCH_MS;
  const server = await aged.add("server", "hub");

  const outcome = await outcomeOf({ project: { ...aged, server } });

  expect(outcome.server).toBe("ERR_CERTIFICATE_EXPIRED");
  expect(outcome.client).toBe("ERR_AUTH_FAILED");
  expect(String(outcome.clientError)).toContain("ERR_CERTIFICATE_EXPIRED");
  expect(outcome.clear).toEqual([]);
});

test("a server refuses a client that signs with another key, in clear and without a reason", async () => {
  const signingKey = await crypto.generateSigningKey(1);
  const outcome = await outcomeOf({ identity: { ...site, signingKey } });

  expect(outcome.server).toBe("ERR_AUTH_FAILED");
  expect(outcome.clear).toEqual([CLEAR_AUTH_FAILED]);
});

test("what admit throws reaches the client encrypted", async () => {
  const outcome = await outcomeOf({
    server: {
      admit: ({ participant }) => {
        throw new WireError("ERR_BUSY", `no room for ${participant.name}`);
      },
    },
  });

  expect(outcome.server).toBe("ERR_BUSY");
  expect(outcome.client).toBe("ERR_BUSY");
  expect(String(outcome.clientError)).toContain("no room for site-1");
  expect(outcome.clear).toEqual([]);
});

test("admit hears who it is, the channel binding and the external credential", async () => {
  const heard: unknown[] = [];
  const channelBinding = new Uint8Array(32).fill(3);
  const externalCredential = utf8("id token");
  await sessionPair({
    project,
    client: { channelBinding, externalCredential },
    server: { admit: (admission) => void heard.push(admission) },
  });

  expect(heard).toMatchObject([{ participant: { name: "site-1" }, channelBinding, externalCredential }]);
});

// Altered on the way.

test.for([
  ["message 1", "toServer", 0],
  ["message 2", "toClient", 0],
  ["message 3", "toServer", 1],
  ["WELCOME", "toClient", 1],
] as const)(
  "an altered byte anywhere in %s ends the handshake, and every failure looks alike",
  async ([, way, frame]) => {
    const { parts } = await outcomeOf({});
    const sent = way === "toServer" ? parts.connections.sentByClient : parts.connections.sentByServer;
    const length = sent[frame]!.length;
    // Every part of the frame: prefix, keys, and places across the payload.
    const positions = [0, 2, 3, 4, 6, 8, 11, 12, 40, 43, 44, 60, 92, 108, 109, length >> 1, length - 1];

    for (const position of new Set(positions.filter((each) => each < length))) {
      const alter = (bytes: Bytes, index: number): Bytes => {
        if (index !== frame) return bytes;
        const altered = Uint8Array.from(bytes);
        altered[position]! ^= 0x10;
        return altered;
      };
      const outcome = await outcomeOf({ transport: { [way]: alter } });
      expect(outcome.client, `byte ${position}`).not.toBe("ok");
      expect(outcome.clear.every((each) => each === CLEAR_AUTH_FAILED)).toBe(true);
    }
  },
);

test.for([
  ["cut short", (bytes: Bytes) => bytes.subarray(0, bytes.length - 1)],
  ["with a byte too many", (bytes: Bytes) => concatBytes(bytes, Uint8Array.of(0))],
  ["sent twice", (bytes: Bytes) => [bytes, bytes]],
  ["over 65 535 bytes", () => writeFrame(FRAME_KIND.handshake1, { payload: new Uint8Array(65_536) })],
  ["of an unknown kind", (bytes: Bytes) => withByte(bytes, 3, 15)],
  ["of a kind that has no place here", (bytes: Bytes) => withByte(bytes, 3, FRAME_KIND.session)],
  ["of another protocol version", (bytes: Bytes) => withByte(bytes, 2, 2)],
] as const)("a first message %s is refused", async ([, change]) => {
  const toServer = (bytes: Bytes, index: number) => (index === 0 ? change(bytes) : bytes);
  const outcome = await outcomeOf({ transport: { toServer } });

  expect([outcome.client, outcome.server]).not.toContain("ok");
  expect(outcome.clear).toEqual([CLEAR_AUTH_FAILED]);
});

function withByte(bytes: Bytes, position: number, value: number): Bytes {
  const altered = Uint8Array.from(bytes);
  altered[position] = value;
  return altered;
}

test("messages recorded in one handshake are of no use in another", async () => {
  const { parts } = await outcomeOf({});
  const recorded = parts.connections.sentByClient[1]!;
  const toServer = (bytes: Bytes, index: number): Bytes => (index === 1 ? recorded : bytes);

  const outcome = await outcomeOf({ transport: { toServer } });

  expect(outcome.server).toBe("ERR_AUTH_FAILED");
});

test("a peer that says nothing is sent away after ten seconds", async () => {
  const { connections, accepting, modules, clock } = await sessionPairParts({ project });
  const accepted = Promise.allSettled([acceptSession(connections.server, accepting, modules)]);

  const [outcome] = await clock.runUntil(accepted, 60_000);

  expect(codeOf(outcome!)).toBe("ERR_AUTH_FAILED");
  expect(clock.now() - TEST_EPOCH_MS).toBe(10_000);
  expect(await connections.client.ended).toMatchObject({ closeCode: 4003 });
  expect(clock.pendingTimers).toBe(0);
});

test("a client does not wait for a silent server either", async () => {
  const outcome = await outcomeOf({ transport: { toClient: () => undefined } });

  expect(outcome.client).toBe("ERR_AUTH_FAILED");
  expect(outcome.parts.clock.now() - TEST_EPOCH_MS).toBe(10_000);
});

test("an ERROR before the session is a hint: the offer of the next attempt is the same", async () => {
  const hint = writeError({ code: "ERR_VERSION_UNSUPPORTED", detail: "use version 0" });
  const attempt = async () => {
    const toClient = (bytes: Bytes, index: number): Bytes => (index === 0 ? hint : bytes);
    return await outcomeOf({ transport: { toClient } });
  };
  const first = await attempt();
  const second = await attempt();

  expect([first.client, second.client]).toEqual(["ERR_AUTH_FAILED", "ERR_AUTH_FAILED"]);
  const offers = [first, second].map(({ parts }) => parts.connections.sentByClient[0]!.subarray(12 + 32));
  expect(equalBytes(offers[0]!, offers[1]!)).toBe(true);
});

test("an ERROR that says busy tells a client to come back", async () => {
  const busy = writeError({ code: "ERR_BUSY", detail: "", retryAfterMs: 5000 });
  const outcome = await outcomeOf({
    transport: { toClient: (_, index) => (index === 0 ? busy : undefined) },
  });

  expect(outcome.client).toBe("ERR_BUSY");
});

test("a server clock that is six minutes off ends the session with a remedy", async () => {
  const { connections, connecting, accepting, modules, clock } = await sessionPairParts({ project });
  const ahead = { ...clock, now: () => clock.now() + 360_000 };
  const accepted = acceptSession(connections.server, accepting, { ...modules, clock: ahead });

  await expect(connectSession(connections.client, connecting, modules)).rejects.toMatchObject({
    code: "ERR_CLOCK_SKEW",
  });
  await accepted;
});

test("a clock that is four minutes off is corrected by WELCOME", async () => {
  const { connections, connecting, accepting, modules, clock } = await sessionPairParts({ project });
  const ahead = { ...clock, now: () => clock.now() + 240_000 };
  const [client] = await Promise.all([
    connectSession(connections.client, connecting, modules),
    acceptSession(connections.server, accepting, { ...modules, clock: ahead }),
  ]);

  expect(client.clockOffsetMs).toBe(240_000);
});

test("one static Noise key may serve a process", async () => {
  const noiseKey: AgreementKey = await crypto.generateAgreementKey();
  const { client, server } = await sessionPair({ project, client: { noiseKey }, server: { noiseKey } });
  const got: string[] = [];
  server.receive({ routes: [on(note, ({ text }) => void got.push(text))] });

  await client.send(note, { text: "x" });

  expect(toHex(client.id)).toBe(toHex(server.id));
});
