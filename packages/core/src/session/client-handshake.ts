import { type Bytes, equalBytes } from "../bytes/index.ts";
import { writeError } from "../envelope/index.ts";
import { AuthenticationError, PkiError, WireError } from "../errors/index.ts";
import { type Participant, type RevocationLists, type VerifiedChain, verifyChain } from "../pki/index.ts";
import type { AgreementKey, Awaitable, Connection, SigningKey } from "../platform/index.ts";
import { FRAME_KIND, HandshakeState, prologueOf, type RecordLimits } from "../wire/index.ts";
import type { AllModules } from "./established.ts";
import { Deadline, FrameChannel } from "./frame-channel.ts";
import { HandshakeExchange, type SessionKeys } from "./handshake.ts";
import {
  type ClientHello,
  decodeServerHello,
  encodeClientHello,
  encodeOffer,
  highestCommonVersion,
  type ServerHello,
  SUPPORTED_VERSIONS,
  signedPartOfClient,
} from "./handshake-payloads.ts";
import type { LoginAuthentication } from "./login-authentication.ts";
import { readServerError } from "./server-error.ts";
import { readWelcome, type Welcome } from "./welcome.ts";

/** How a client greets. */
export interface ClientGreeting {
  readonly project: string;
  /** Name that the server's certificate must carry. */
  readonly serverName: string;
  /** Throws unless this root, from message 2, is the one to trust. */
  readonly requireRoot: (root: Bytes) => Promise<void>;
  /** What is known about certificates under this root, which was checked. */
  readonly revocationsOf: (root: Bytes) => RevocationLists;
  /** Chain, or request and code; and what goes with them. */
  readonly hello: Omit<ClientHello, "algorithm">;
  /** Who is asked about the server before the client says who it is. */
  readonly authentication?: LoginAuthentication | undefined;
  /** Key that signs message 3. */
  readonly signingKey: SigningKey;
  readonly noiseKey: Awaitable<AgreementKey> | undefined;
  readonly handshakeMs: number;
  readonly recordLimits: RecordLimits;
}

/** What a client has after WELCOME. */
export interface ClientOutcome extends SessionKeys {
  readonly channel: FrameChannel;
  readonly server: VerifiedChain;
  /** Until when own authenticators let the server be, ms since 1970. */
  readonly untilMs: number;
  /** Root that message 2 brought, checked by the greeting. */
  readonly root: Bytes;
  readonly welcome: Welcome;
}

/**
 * The client's side, up to WELCOME. The connection is closed when it fails.
 * @throws WireError, PkiError (the server's chain), DecomposerError
 */
export async function greet(
  connection: Connection,
  greeting: ClientGreeting,
  modules: AllModules,
): Promise<ClientOutcome> {
  const channel = new FrameChannel(connection);
  const deadline = new Deadline(modules.clock, greeting.handshakeMs);
  try {
    const staticKey = await (greeting.noiseKey ?? modules.crypto.generateAgreementKey());
    const start = { initiator: true, prologue: prologueOf(greeting.project), staticKey };
    const noise = await HandshakeState.start(start, modules);
    const exchange = new HandshakeExchange(noise, { channel, deadline, crypto: modules.crypto });
    return await deadline.race(run(exchange, { channel, greeting, modules }));
  } catch (error) {
    // The server learns that it ended, not why: our reasons are nobody's business before it is proved.
    channel.send(writeError({ code: "ERR_AUTH_FAILED", detail: "" }));
    channel.close(4003, "ERR_AUTH_FAILED");
    throw error;
  } finally {
    deadline.cancel();
  }
}

interface ClientRun {
  readonly channel: FrameChannel;
  readonly greeting: ClientGreeting;
  readonly modules: AllModules;
}

async function run(
  exchange: HandshakeExchange,
  { channel, greeting, modules }: ClientRun,
): Promise<ClientOutcome> {
  const { serverName, hello, signingKey } = greeting;
  await exchange.write(FRAME_KIND.handshake1, async () =>
    encodeOffer({ versions: SUPPORTED_VERSIONS, serverName }),
  );
  const { payload, hash } = await exchange.read(FRAME_KIND.handshake2);
  const { payload: serverHello, signature, signedPart } = decodeServerHello(payload);
  const server = await requireServer(serverHello, greeting, modules);
  // [W-16] message 3, with our identity, leaves only after this
  const signed = { hash, part: signedPart, signature };
  const isServers =
    serverHello.algorithm === server.verifyingKey.algorithm &&
    (await exchange.isSigned("server", server.verifyingKey, signed));
  if (!isServers) throw new WireError("ERR_AUTH_FAILED", "the handshake is not signed by the server's key");
  const untilMs = await admittedUntil(server, greeting);
  await exchange.write(FRAME_KIND.handshake3, async (own) => {
    const clientHello: ClientHello = { ...hello, algorithm: signingKey.algorithm };
    const part = signedPartOfClient(clientHello);
    return encodeClientHello(clientHello, await exchange.sign("client", signingKey, { hash: own, part }));
  });
  const keys = await exchange.records(greeting.recordLimits);
  const frame = await exchange.readSession(keys.receiver);
  if (frame.kind === FRAME_KIND.error) throw readServerError(frame);
  // [W-26]
  if (frame.kind !== FRAME_KIND.welcome) {
    throw new WireError("ERR_FRAME_MALFORMED", `expected WELCOME, got a frame of kind ${frame.kind}`);
  }
  const welcome = readWelcome(frame);
  // [W-112] a server that goes by an older list than this client knows admits whom it should not
  greeting.revocationsOf(serverHello.root).requireNotOlder(welcome.revocationNumbers);
  return { ...keys, channel, server, untilMs, root: serverHello.root, welcome };
}

/** Own authenticators have their say about a server that has proved its certificate. */
async function admittedUntil(
  { participant, publicKey }: VerifiedChain,
  { authentication }: ClientGreeting,
): Promise<number> {
  const decision = await authentication?.admit({ participant, publicKey, credential: undefined });
  if (decision === undefined) return Number.POSITIVE_INFINITY;
  if (decision.kind === "admitted") return decision.untilMs;
  throw new AuthenticationError("ERR_CREDENTIAL_REFUSED", "a server brings no credential");
}

async function requireServer(
  hello: ServerHello,
  { serverName, project, requireRoot, revocationsOf }: ClientGreeting,
  { crypto, clock, chainCache }: AllModules,
): Promise<VerifiedChain> {
  // [W-13]
  if (hello.version !== highestCommonVersion(SUPPORTED_VERSIONS, hello.versions)) {
    throw new WireError("ERR_VERSION_UNSUPPORTED", `the server chose version ${hello.version}`);
  }
  // [W-14]
  await requireRoot(hello.root);
  const revocations = revocationsOf(hello.root);
  await takeList(hello, revocations);
  // [W-15]
  const server = await verifyChain(
    hello.chain,
    { root: hello.root, project, usage: "server", name: serverName, nowMs: clock.now() },
    { crypto, cache: chainCache },
  );
  // [W-19]
  await revocations.requireCurrent();
  requireServerNotRevoked(server.participant, revocations);
  return server;
}

/** [W-19] without a list there is no session: a revoked server would simply leave it out. */
async function takeList({ revocationList }: ServerHello, revocations: RevocationLists): Promise<void> {
  if (revocationList === undefined) {
    throw new PkiError("ERR_CRL_MISSING", "the server brings no revocation list");
  }
  await revocations.take({ list: revocationList });
}

/**
 * [W-110] Another code than for the own certificate: that ends a site for good, while a server gets a new one. One that
 * is suspended is refused likewise.
 * @throws PkiError `ERR_SERVER_REVOKED`
 */
export function requireServerNotRevoked(
  { chain, leafDigest }: Pick<Participant, "chain" | "leafDigest">,
  revocations: RevocationLists,
): void {
  if (revocations.isRevoked(chain)) {
    throw new PkiError("ERR_SERVER_REVOKED", "the certificate of the server was revoked");
  }
  if (revocations.isSuspended(leafDigest)) {
    throw new PkiError("ERR_SERVER_REVOKED", "the certificate of the server is suspended");
  }
}

/** The root that was pinned before. @throws PkiError `ERR_CERTIFICATE_UNTRUSTED` */
export function pinnedRoot(pinned: Bytes): (root: Bytes) => Promise<void> {
  return async (root) => {
    if (equalBytes(root, pinned)) return;
    throw new PkiError(
      "ERR_CERTIFICATE_UNTRUSTED",
      "the server has another root than the one that is pinned",
    );
  };
}
