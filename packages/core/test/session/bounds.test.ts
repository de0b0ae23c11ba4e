import { type Bytes, concatBytes } from "@photinus/core/bytes";
import { SeenMessages } from "@photinus/core/envelope";
import { createCertificateRequest } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { acceptSession, connectSession, enrolOverSession } from "@photinus/core/session";
import { sessionPair, sessionPairParts, testProject } from "@photinus/core/testing";
import { FRAME_KIND, readFrame, u32, writeFrame } from "@photinus/core/wire";
import { expect, test } from "vitest";
import { completeLimits, completeModules } from "../../src/session/established.ts";
import { greetClient } from "../../src/session/server-handshake.ts";
import { aWelcome } from "./a-welcome.ts";
import { large } from "./messages.ts";

const crypto = webCrypto();
const project = await testProject();

test("at most 65 536 signed messages are remembered at once, each until it expires", () => {
  const seen = new SeenMessages();
  const id = (index: number): Bytes => concatBytes(new Uint8Array(12), u32(index));
  for (let index = 0; index < 65_536; index++) seen.record(id(index), { expiresAt: 1000, nowMs: 0 });

  expect(() => seen.record(id(65_536), { expiresAt: 1000, nowMs: 0 })).toThrow(
    expect.objectContaining({ code: "ERR_RATE_LIMITED" }),
  );
  // A minute later they could not be accepted anyway.
  expect(seen.record(id(65_536), { expiresAt: 120_000, nowMs: 60_000 })).toBe(true);
});

test("a peer that reads nothing is sent away when 64 MiB wait for it", async () => {
  const { server, client } = await sessionPair({ project });
  server.receive({ routes: [] });
  const body = { bytes: new Uint8Array(1_000_000) };

  // The client never begins to receive.
  const sending = Array.from({ length: 90 }, () => server.send(large, body));
  const outcomes = await Promise.allSettled(sending);

  expect(await server.ended).toMatchObject({ code: "ERR_RATE_LIMITED", local: true });
  expect(outcomes.filter(({ status }) => status === "fulfilled").length).toBeGreaterThan(60);
  await client.close("ERR_GOING_AWAY");
});

test.for([
  ["message 1 with a header", "toServer", 0, { header: Uint8Array.of(0x90) }],
  ["message 1 with a tag", "toServer", 0, { tag: new Uint8Array(16) }],
  ["message 2 with a header", "toClient", 0, { header: Uint8Array.of(0x90) }],
  ["message 3 with a tag", "toServer", 1, { tag: new Uint8Array(16) }],
] as const)("%s is refused, though its Noise message is good", async ([, way, place, more]) => {
  const altered = (frame: Bytes, index: number): Bytes => {
    if (index !== place) return frame;
    const { kind, payload } = readFrame(frame);
    return writeFrame(kind, { payload, ...more });
  };
  const { connections, connecting, accepting, modules } = await sessionPairParts({
    project,
    transport: { [way]: altered },
  });

  const [client, server] = await Promise.allSettled([
    connectSession(connections.client, connecting, modules),
    acceptSession(connections.server, accepting, modules),
  ]);

  const refused = way === "toServer" ? server : client;
  expect(refused).toMatchObject({ status: "rejected", reason: { code: "ERR_FRAME_MALFORMED" } });
  expect([client.status, server.status]).toEqual(["rejected", "rejected"]);
});

test("who enrols takes nothing but the certificate after WELCOME", async () => {
  const signingKey = await crypto.generateSigningKey(1);
  const { connections, accepting, modules } = await sessionPairParts({ project });
  const { der } = project.root.certificate;
  const options = {
    project: project.project,
    serverName: "hub",
    rootFingerprint: await crypto.sha256(der),
    inviteCode: new Uint8Array(16),
    request: await createCertificateRequest({ commonName: "page-1" }, signingKey, { crypto }),
    signingKey,
  };
  const welcome = aWelcome({ serverClockMs: modules.clock.now(), scope: "enrol" });
  const dishonest = greetClient(
    connections.server,
    {
      options: { ...accepting, enrolment: { redeem: async () => ({ chain: [] }) } },
      limits: completeLimits(),
      handshakeMs: 10_000,
      finish: async ({ channel, sender }) => {
        channel.send(await sender.seal(welcome));
        channel.send(await sender.seal(writeFrame(FRAME_KIND.credit, {})));
      },
    },
    completeModules(modules),
  );

  const [client] = await Promise.allSettled([
    enrolOverSession(connections.client, options, modules),
    dishonest,
  ]);

  expect(client).toMatchObject({ status: "rejected", reason: { code: "ERR_FRAME_MALFORMED" } });
});

test("who is challenged takes nothing but the challenge after WELCOME", async () => {
  const { connections, connecting, accepting, modules } = await sessionPairParts({ project });
  const welcome = aWelcome({ serverClockMs: modules.clock.now(), scope: "challenge" });
  const dishonest = greetClient(
    connections.server,
    {
      options: accepting,
      limits: completeLimits(),
      handshakeMs: 10_000,
      finish: async ({ channel, sender }) => {
        channel.send(await sender.seal(welcome));
        channel.send(await sender.seal(writeFrame(FRAME_KIND.credit, {})));
      },
    },
    completeModules(modules),
  );

  const [client] = await Promise.allSettled([
    connectSession(connections.client, connecting, modules),
    dishonest,
  ]);

  expect(client).toMatchObject({ status: "rejected", reason: { code: "ERR_FRAME_MALFORMED" } });
});
