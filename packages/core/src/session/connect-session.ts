import { type Bytes, packBytes } from "../bytes/index.ts";
import { TokenBook, verifyToken, wireCodeOf } from "../envelope/index.ts";
import { EnvelopeError, WireError } from "../errors/index.ts";
import { RevocationLists } from "../pki/index.ts";
import type { Connection } from "../platform/index.ts";
import { type ClientOutcome, greet, pinnedRoot } from "./client-handshake.ts";
import { loginChallenge } from "./control-messages.ts";
import { CredentialRequiredError } from "./credential-required.ts";
import {
  type AllModules,
  completeLimits,
  completeModules,
  completeTimings,
  DEFAULT_OBJECT_RULES,
  type Established,
} from "./established.ts";
import { faultOf } from "./fault.ts";
import { Deadline } from "./frame-channel.ts";
import { LiveSession } from "./live-session.ts";
import type { ConnectOptions, SessionModules, SessionTimings } from "./options.ts";
import { receiveLast } from "./receive-last.ts";
import type { Session } from "./session.ts";
import { clockOffset } from "./welcome.ts";

/**
 * Opens a session with a server over a connection: Noise handshake, certificates both ways, WELCOME. The connection
 * belongs to the session from then on; it is closed when this fails.
 *
 * @throws PkiError when the server's chain does not verify, WireError `ERR_AUTH_FAILED` and others with the reason,
 *   CredentialRequiredError when the server wants a credential for the challenge that it carries
 * @example
 * const session = await connectSession(await connector.connect(signal), { identity, project, root, serverName }, modules);
 * session.receive({ routes: [on(task, handleTask)] });
 */
export async function connectSession(
  connection: Connection,
  options: ConnectOptions,
  modules: SessionModules,
): Promise<Session> {
  const all = completeModules(modules);
  const limits = completeLimits(options.limits);
  const timings = completeTimings(options.timings);
  const { identity, project, serverName, channelBinding, externalCredential } = options;
  const { root } = options;
  const revocations = options.revocations ?? new RevocationLists({ project, root }, all);
  const outcome = await greet(
    connection,
    {
      project,
      serverName,
      requireRoot: pinnedRoot(root),
      revocationsOf: () => revocations,
      hello: { chain: identity.participant.chain, enrolment: undefined, channelBinding, externalCredential },
      authentication: options.authentication,
      signingKey: identity.signingKey,
      noiseKey: options.noiseKey,
      handshakeMs: timings.handshakeMs,
      recordLimits: limits.record,
    },
    all,
  );
  try {
    const { welcome, server } = outcome;
    // [W-159]
    if (welcome.scope === "challenge") throw await challengeOf(outcome, { timings, modules: all });
    if (welcome.scope !== "full") throw new WireError("ERR_AUTH_FAILED", "the server offers enrolment only");
    const clockOffsetMs = clockOffset(welcome.serverClockMs, all.clock.now());
    const serverKeyId = await all.crypto.sha256(server.publicKey);
    const books = await takeTokens(outcome, { options, clockOffsetMs, serverKeyId, modules: all });
    const established: Established = {
      ...outcome,
      ...books,
      packedSid: packBytes(outcome.sid),
      scope: "full",
      identity,
      peer: server.participant,
      peerKey: server.verifyingKey,
      peerNotAfterMs: server.notAfterMs,
      admittedUntilMs: outcome.untilMs,
      direction: 0,
      clockOffsetMs,
      spread: { returnMs: welcome.limits.returnMs },
      root,
      revocations,
      limits,
      objectRules: options.objectRules ?? DEFAULT_OBJECT_RULES,
      // The server says how often it wants to hear from its clients.
      heartbeatMs: Math.min(timings.heartbeatMs, welcome.limits.heartbeatMs),
      silenceMs: timings.silenceMs,
      lifetimeMs: timings.lifetimeMs,
    };
    all.logger.info("session opened", { peer: server.participant.name });
    const session = new LiveSession({ established, serverKeyId }, all);
    session.start();
    return session;
  } catch (error) {
    const { code } = faultOf(error);
    outcome.channel.close(wireCodeOf(code), code);
    throw error;
  }
}

/** The server wants a credential for the challenge that it sends. */
async function challengeOf(
  outcome: ClientOutcome,
  { timings, modules }: { readonly timings: SessionTimings; readonly modules: AllModules },
): Promise<CredentialRequiredError> {
  const deadline = new Deadline(modules.clock, timings.handshakeMs);
  try {
    const { challenge } = await deadline.race(receiveLast(outcome, loginChallenge, modules));
    return new CredentialRequiredError(challenge);
  } finally {
    deadline.cancel();
  }
}

interface TokenTaking {
  readonly options: ConnectOptions;
  readonly clockOffsetMs: number;
  readonly serverKeyId: Bytes;
  readonly modules: AllModules;
}

/** [W-18] both tokens of WELCOME are the server's, for these two and this session. */
async function takeTokens(
  { welcome, server, sid }: ClientOutcome,
  { options, clockOffsetMs, serverKeyId, modules }: TokenTaking,
): Promise<{ readonly ownTokens: TokenBook; readonly peerTokens: TokenBook }> {
  const { clientToken, serverToken } = welcome;
  if (clientToken === undefined || serverToken === undefined) {
    throw new EnvelopeError("ERR_TOKEN_UNKNOWN", "the server sent no token");
  }
  const nowMs = modules.clock.now() + clockOffsetMs;
  const expected = { sid, nowMs, serverKey: server.verifyingKey, serverKeyId };
  const ownTokens = new TokenBook();
  const peerTokens = new TokenBook();
  const own = { ...expected, holder: options.identity.participant };
  ownTokens.add(await verifyToken(clientToken, own, modules.crypto));
  const peers = { ...expected, holder: server.participant };
  peerTokens.add(await verifyToken(serverToken, peers, modules.crypto));
  return { ownTokens, peerTokens };
}
