import type { Bytes } from "../../src/bytes/index.ts";
import { builtInRegistry, encode } from "../../src/decomposer/index.ts";
import {
  readError,
  type SignedMessage,
  sealSigned,
  verifyToken,
  writeMessage,
} from "../../src/envelope/index.ts";
import type { Identity } from "../../src/pki/index.ts";
import { greet, pinnedRoot } from "../../src/session/client-handshake.ts";
import { completeModules } from "../../src/session/established.ts";
import { acceptSession, type Refusal, type Session, type SessionHandler } from "../../src/session/index.ts";
import {
  type SessionPairOptions,
  sessionPairParts,
  type TestProject,
  type VirtualClock,
} from "../../src/testing/index.ts";
import { FRAME_KIND, type Frame, RECORD_LIMITS, readFrame } from "../../src/wire/index.ts";

/** A client that went through an honest handshake and then sends what it likes. */
export interface HostileClient {
  readonly server: Session;
  readonly clock: VirtualClock;
  readonly identity: Identity;
  /** Encrypts an inner frame as the next of the session and sends it. */
  readonly sendInner: (inner: Bytes) => Promise<void>;
  /** Encrypts an inner frame as the next of the session, without sending it. */
  readonly seal: (inner: Bytes) => Promise<Bytes>;
  /** Changes the sending key and tells nobody. */
  readonly rekey: () => Promise<unknown>;
  /** A MESSAGE frame that is right in everything: a note with this text. */
  readonly message: (text?: string) => Bytes;
  /** A heartbeat. */
  readonly heartbeat: () => Bytes;
  /** Sends a frame as it is. */
  readonly sendOuter: (frame: Bytes) => void;
  /** A SIGNED frame that is right in everything but `change`. */
  readonly signed: (change?: Partial<SignedMessage>, key?: Identity["signingKey"]) => Promise<Bytes>;
  /** Reference of the token that the server issued. */
  readonly tokenRef: Bytes;
  /** All inner frames that the server has sent after WELCOME so far. */
  readonly frames: () => Promise<readonly Frame[]>;
  /** Id of the session. */
  readonly sid: Bytes;
  /** The ERROR frames that the server has sent in the session so far. */
  readonly replies: () => Promise<readonly Pick<Refusal, "code" | "detail" | "retryAfterMs">[]>;
}

/** Opens a session of a hostile client with an honest server. */
export async function hostileClient(
  project: TestProject,
  handler: SessionHandler,
  options: SessionPairOptions = {},
): Promise<HostileClient> {
  const parts = await sessionPairParts({ project, ...options });
  const { connections, connecting, accepting, clock } = parts;
  const modules = completeModules(parts.modules);
  const { identity } = connecting;
  const accepted = acceptSession(connections.server, accepting, parts.modules);
  const outcome = await greet(
    connections.client,
    {
      project: connecting.project,
      serverName: connecting.serverName,
      requireRoot: pinnedRoot(connecting.root),
      revocationsOf: () => parts.project.revocations,
      hello: {
        chain: identity.participant.chain,
        enrolment: undefined,
        channelBinding: undefined,
        externalCredential: undefined,
      },
      signingKey: identity.signingKey,
      noiseKey: undefined,
      handshakeMs: 10_000,
      recordLimits: RECORD_LIMITS,
    },
    modules,
  );
  const server = await accepted;
  server.receive(handler);
  const { crypto } = modules;
  const token = await verifyToken(
    outcome.welcome.clientToken!,
    {
      holder: identity.participant,
      sid: outcome.sid,
      nowMs: clock.now(),
      serverKey: outcome.server.verifyingKey,
      serverKeyId: await crypto.sha256(outcome.server.publicKey),
    },
    crypto,
  );
  const frames: Frame[] = [];
  const replies: Pick<Refusal, "code" | "detail" | "retryAfterMs">[] = [];
  const collect = async (): Promise<void> => {
    for (;;) {
      const bytes = await outcome.channel.next();
      if (bytes === undefined) return;
      const frame = readFrame(await outcome.receiver.open(readFrame(bytes)));
      frames.push(frame);
      if (frame.kind === FRAME_KIND.rekey) await outcome.receiver.rekey();
      if (frame.kind === FRAME_KIND.error) replies.push({ retryAfterMs: undefined, ...readError(frame) });
    }
  };
  void collect();
  const message = (type: number, body: Readonly<Record<string, string>>): Bytes => {
    const messageId = crypto.randomBytes(16);
    const header = { type, messageId, inReplyTo: undefined, scope: undefined, tokenRef: token.ref };
    return writeMessage(header, encode(body, builtInRegistry()));
  };
  return {
    server,
    clock,
    identity,
    tokenRef: token.ref,
    sendInner: async (inner) => outcome.channel.send(await outcome.sender.seal(inner)),
    seal: (inner) => outcome.sender.seal(inner),
    rekey: () => outcome.sender.rekey(),
    message: (text = "x") => message(900, { text }),
    heartbeat: () => message(1, {}),
    sendOuter: (frame) => outcome.channel.send(frame),
    signed: (change = {}, key = identity.signingKey) =>
      sealSigned(
        {
          project: "test",
          from: identity.participant.name,
          to: "hub",
          sid: outcome.sid,
          direction: 0,
          issuedAt: clock.now(),
          tokenRef: token.ref,
          type: 901,
          messageId: crypto.randomBytes(16),
          inReplyTo: undefined,
          scope: undefined,
          body: encode({ text: "x" }, builtInRegistry()),
          ...change,
        },
        { key, crypto },
      ),
    sid: outcome.sid,
    frames: async () => {
      await clock.settle();
      return frames;
    },
    replies: async () => {
      await clock.settle();
      return replies;
    },
  };
}
