import type { Bytes } from "../../src/bytes/index.ts";
import { issueToken, readError } from "../../src/envelope/index.ts";
import { completeLimits, completeModules } from "../../src/session/established.ts";
import { connectSession, type Session } from "../../src/session/index.ts";
import { greetClient, type ServerOutcome } from "../../src/session/server-handshake.ts";
import { writeCredit } from "../../src/stream/index.ts";
import {
  type SessionPairOptions,
  sessionPairParts,
  type TestProject,
  type VirtualClock,
} from "../../src/testing/index.ts";
import { FRAME_KIND, readFrame } from "../../src/wire/index.ts";
import { aWelcome } from "./a-welcome.ts";

/** A server that went through an honest handshake and then does nothing by itself. */
export interface HostileServer {
  /** The honest client's end; not receiving yet. */
  readonly session: Session;
  readonly clock: VirtualClock;
  /** Encrypts an inner frame as the next of the session and sends it. */
  readonly sendInner: (inner: Bytes) => Promise<void>;
  /** Reference of the server's own token. */
  readonly tokenRef: Bytes;
  /** Codes of the ERROR frames that the client has sent so far. */
  readonly replies: () => Promise<readonly string[]>;
  /** A frame without any effect: the server is not silent. */
  readonly sendAnything: () => Promise<void>;
}

/** Opens a session of an honest client with a hostile server. */
export async function hostileServer(
  project: TestProject,
  options: SessionPairOptions = {},
): Promise<HostileServer> {
  const parts = await sessionPairParts({ project, ...options });
  const { connections, connecting, accepting, clock } = parts;
  const modules = completeModules(parts.modules);
  const { crypto } = modules;
  let outcome: ServerOutcome | undefined;
  let tokenRef: Bytes = new Uint8Array(32);
  const finish = async (greeted: ServerOutcome): Promise<void> => {
    const { sid } = greeted;
    const { signingKey: key, participant } = project.server;
    const request = { sid, nowMs: clock.now(), serverKeyId: await crypto.sha256(key.publicKey) };
    const client = await issueToken({ ...request, holder: connecting.identity.participant }, { key, crypto });
    const server = await issueToken({ ...request, holder: participant }, { key, crypto });
    const welcome = aWelcome({
      clientToken: client.bytes,
      serverToken: server.bytes,
      serverClockMs: clock.now(),
    });
    greeted.channel.send(await greeted.sender.seal(welcome));
    outcome = greeted;
    tokenRef = server.ref;
  };
  const greeting = { options: accepting, limits: completeLimits(), handshakeMs: 10_000, finish };
  const [session] = await Promise.all([
    connectSession(connections.client, connecting, parts.modules),
    greetClient(connections.server, greeting, modules),
  ]);
  if (outcome === undefined) throw new TypeError("the handshake ended without an outcome");
  const { channel, sender, receiver } = outcome;
  const codes: string[] = [];
  const collect = async (): Promise<void> => {
    for (let bytes = await channel.next(); bytes !== undefined; bytes = await channel.next()) {
      const frame = readFrame(await receiver.open(readFrame(bytes)));
      if (frame.kind === FRAME_KIND.error) codes.push(readError(frame).code);
    }
  };
  void collect();
  const replies = async (): Promise<readonly string[]> => {
    await clock.settle();
    return codes;
  };
  const sendInner = async (inner: Bytes): Promise<void> => channel.send(await sender.seal(inner));
  const sendAnything = (): Promise<void> => sendInner(writeCredit(new Uint8Array(16), 1));
  return { session, clock, tokenRef, sendInner, sendAnything, replies };
}
