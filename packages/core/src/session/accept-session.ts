import { type Bytes, packBytes } from "../bytes/index.ts";
import { issueToken, TokenBook, wireCodeOf, writeError } from "../envelope/index.ts";
import { PkiError, WireError } from "../errors/index.ts";
import { verifyChain } from "../pki/index.ts";
import type { Connection } from "../platform/index.ts";
import { MAX_FRAME_BYTES } from "../wire/index.ts";
import { enrolled, loginChallenge } from "./control-messages.ts";
import {
  type AllModules,
  completeLimits,
  completeModules,
  completeTimings,
  DEFAULT_OBJECT_RULES,
  type Established,
} from "./established.ts";
import { LiveSession } from "./live-session.ts";
import type {
  AcceptOptions,
  EnrolmentAuthority,
  SessionLimits,
  SessionModules,
  SessionTimings,
} from "./options.ts";
import { greetClient, type ServerOutcome } from "./server-handshake.ts";
import type { Session } from "./session.ts";
import { type SessionScope, writeWelcome } from "./welcome.ts";

/**
 * Answers a client that has connected: Noise handshake, certificates both ways, tokens, WELCOME. The connection
 * belongs to the session from then on; it is closed when this fails. A client that enrols gets its certificate; the
 * session then has the scope "enrol" and is already closing.
 *
 * @throws PkiError, WireError and what `admit` throws: the true reason. The peer hears it only after its signature
 *   verified.
 */
export async function acceptSession(
  connection: Connection,
  options: AcceptOptions,
  modules: SessionModules,
): Promise<Session> {
  const accepting: Accepting = {
    options,
    modules: completeModules(modules),
    limits: completeLimits(options.limits),
    timings: completeTimings(options.timings),
  };
  let session: LiveSession | undefined;
  const login = await enter(connection, accepting.modules);
  await greetClient(
    connection,
    {
      options,
      limits: accepting.limits,
      handshakeMs: accepting.timings.handshakeMs,
      finish: async (outcome) => {
        session = await establish(outcome, accepting);
      },
    },
    accepting.modules,
  ).finally(() => login.leave());
  if (session === undefined) throw new TypeError("the handshake ended without a session");
  session.start();
  accepting.modules.pace?.opened(session);
  return session;
}

/** [W-94] a server that is busy says when to come back, before it computes anything for whoever asks. */
async function enter(connection: Connection, { pace }: AllModules): Promise<{ readonly leave: () => void }> {
  const entry = pace?.enter() ?? { admitted: true, leave: () => undefined };
  if (entry.admitted) return entry;
  const { retryAfterMs } = entry;
  const error = new WireError("ERR_BUSY", "too many log in at once", { retryAfterMs });
  connection.send(writeError({ code: error.code, retryAfterMs, detail: "" }));
  connection.close(wireCodeOf(error.code), error.code);
  throw error;
}

interface Accepting {
  readonly options: AcceptOptions;
  readonly modules: AllModules;
  readonly limits: SessionLimits;
  readonly timings: SessionTimings;
}

function establish(outcome: ServerOutcome, accepting: Accepting): Promise<LiveSession> {
  const { greeted } = outcome;
  switch (greeted.kind) {
    case "participant":
      return establishFull({ ...outcome, ...greeted }, accepting);
    case "challenged":
      return establishChallenge({ ...outcome, ...greeted }, accepting);
    case "enrolment":
      return establishEnrolment({ ...outcome, ...greeted }, accepting);
  }
}

type FullOutcome = ServerOutcome & Extract<ServerOutcome["greeted"], { kind: "participant" }>;

/** Two tokens, WELCOME, session. */
async function establishFull(outcome: FullOutcome, accepting: Accepting): Promise<LiveSession> {
  const { client, sid, channel, sender } = outcome;
  const { options, modules } = accepting;
  const { identity } = options;
  const { crypto, clock } = modules;
  const serverKeyId = await crypto.sha256(identity.signingKey.publicKey);
  const nowMs = clock.now();
  const issuing = { key: identity.signingKey, crypto };
  const clientToken = await issueToken({ holder: client.participant, sid, nowMs, serverKeyId }, issuing);
  const serverToken = await issueToken({ holder: identity.participant, sid, nowMs, serverKeyId }, issuing);
  const session = new LiveSession(
    {
      established: established(outcome, accepting, {
        scope: "full",
        peer: client.participant,
        peerKey: client.verifyingKey,
        peerNotAfterMs: client.notAfterMs,
        admittedUntilMs: outcome.untilMs,
        ownTokens: bookOf(serverToken),
        peerTokens: bookOf(clientToken),
      }),
    },
    modules,
  );
  const welcome = welcomeOf("full", accepting, [clientToken.bytes, serverToken.bytes]);
  channel.send(await sender.seal(welcome));
  modules.logger.info("session opened", { peer: client.participant.name, role: client.participant.role });
  return session;
}

type EnrolmentOutcome = ServerOutcome & { readonly code: Bytes | undefined; readonly request: Bytes };

/** WELCOME, the certificate, the end. It is issued first: who is refused, or waits, never sees a session. */
async function establishEnrolment(outcome: EnrolmentOutcome, accepting: Accepting): Promise<LiveSession> {
  const { options, modules } = accepting;
  const { project, root } = options;
  const { crypto, clock } = modules;
  const { chain } = await issued(outcome, requireAuthority(options));
  // Also our own authority's work is proved before it leaves.
  const expectations = { root, project, usage: "client", nowMs: clock.now() } as const;
  const { participant, verifyingKey, notAfterMs } = await verifyChain(chain, expectations, { crypto });
  const session = new LiveSession(
    {
      established: established(outcome, accepting, {
        scope: "enrol",
        peer: participant,
        peerKey: verifyingKey,
        peerNotAfterMs: notAfterMs,
        admittedUntilMs: Number.POSITIVE_INFINITY,
        ...withoutTokens(),
      }),
    },
    modules,
  );
  outcome.channel.send(await outcome.sender.seal(welcomeOf("enrol", accepting)));
  modules.logger.info("a site enrolled", { peer: participant.name });
  closeAfter(session, session.send(enrolled, { chain: participant.chain }));
  return session;
}

type ChallengedOutcome = ServerOutcome & Extract<ServerOutcome["greeted"], { kind: "challenged" }>;

/** WELCOME, the challenge, the end: the client comes again with a credential. */
async function establishChallenge(outcome: ChallengedOutcome, accepting: Accepting): Promise<LiveSession> {
  const { modules } = accepting;
  const { client, challenge, channel, sender } = outcome;
  const session = new LiveSession(
    {
      established: established(outcome, accepting, {
        scope: "challenge",
        peer: client.participant,
        peerKey: client.verifyingKey,
        peerNotAfterMs: client.notAfterMs,
        admittedUntilMs: Number.POSITIVE_INFINITY,
        ...withoutTokens(),
      }),
    },
    modules,
  );
  channel.send(await sender.seal(welcomeOf("challenge", accepting)));
  closeAfter(session, session.send(loginChallenge, { challenge }));
  return session;
}

/** Ends a session once the one thing that it says has been sent. */
function closeAfter(session: LiveSession, last: Promise<unknown>): void {
  last.then(() => session.close("ERR_GOING_AWAY", "")).catch((error: unknown) => session.fail(error));
}

/** A session that says one thing and ends needs no tokens. */
function withoutTokens(): Pick<Established, "ownTokens" | "peerTokens"> {
  return { ownTokens: new TokenBook(), peerTokens: new TokenBook() };
}

/** [W-65] by the code of an invite; without one, what the server has decided about the key. */
async function issued(
  { code, request, channel }: EnrolmentOutcome,
  authority: EnrolmentAuthority,
): Promise<{ readonly chain: readonly Bytes[] }> {
  if (code !== undefined) return await authority.redeem(code, request);
  if (authority.ask === undefined)
    throw new PkiError("ERR_INVITE_REFUSED", "this server enrols by invite only");
  return await authority.ask(request, channel.remoteAddress);
}

function requireAuthority({ enrolment }: AcceptOptions): EnrolmentAuthority {
  if (enrolment === undefined) throw new TypeError("enrolment was greeted without an authority");
  return enrolment;
}

type Proved = Pick<
  Established,
  "scope" | "peer" | "peerKey" | "peerNotAfterMs" | "admittedUntilMs" | "ownTokens" | "peerTokens"
>;

/** Written out, as it is kept for each session; see the constructor of LiveSession. */
function established(
  { channel, sender, receiver, sid }: ServerOutcome,
  { options, limits, timings }: Accepting,
  { scope, peer, peerKey, peerNotAfterMs, admittedUntilMs, ownTokens, peerTokens }: Proved,
): Established {
  return {
    scope,
    peer,
    peerKey,
    peerNotAfterMs,
    admittedUntilMs,
    ownTokens,
    peerTokens,
    root: options.root,
    channel,
    sender,
    receiver,
    packedSid: packBytes(sid),
    identity: options.identity,
    direction: 1,
    clockOffsetMs: 0,
    spread: NO_SPREAD,
    limits,
    objectRules: options.objectRules ?? DEFAULT_OBJECT_RULES,
    revocations: options.revocations,
    heartbeatMs: timings.heartbeatMs,
    silenceMs: timings.silenceMs,
    lifetimeMs: timings.lifetimeMs,
  };
}

/** A server spreads nobody but its clients. */
const NO_SPREAD = Object.freeze({ returnMs: 0 });

function bookOf(issued: Parameters<TokenBook["add"]>[0]): TokenBook {
  const book = new TokenBook();
  book.add(issued);
  return book;
}

function welcomeOf(
  scope: SessionScope,
  { options, limits, timings, modules }: Accepting,
  [clientToken, serverToken]: readonly Bytes[] = [],
): Bytes {
  return writeWelcome({
    clientToken,
    serverToken,
    revocationNumbers: options.revocations.numbers(),
    policyEpoch: options.policyEpoch ?? 0,
    limits: {
      frameBytes: MAX_FRAME_BYTES,
      streamBytes: limits.streamBytes,
      heartbeatMs: timings.heartbeatMs,
      silenceMs: timings.silenceMs,
      returnMs: modules.pace?.returnMs ?? 0,
    },
    serverClockMs: modules.clock.now(),
    scope,
  });
}
