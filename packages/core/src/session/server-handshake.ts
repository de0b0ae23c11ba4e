import type { Bytes } from "../bytes/index.ts";
import { writeError } from "../envelope/index.ts";
import { ERRORS, PkiError, WireError } from "../errors/index.ts";
import { openCertificateRequest, parseCertificate, type VerifiedChain, verifyChain } from "../pki/index.ts";
import type { Connection, VerifyingKey } from "../platform/index.ts";
import { FRAME_KIND, HandshakeState, prologueOf } from "../wire/index.ts";
import type { AllModules } from "./established.ts";
import { detailForPeer, faultOf } from "./fault.ts";
import { Deadline, FrameChannel } from "./frame-channel.ts";
import { HandshakeExchange, type SessionKeys } from "./handshake.ts";
import {
  type ClientHello,
  decodeClientHello,
  decodeOffer,
  highestCommonVersion,
  type ServerHello,
  type Signed,
  SUPPORTED_VERSIONS,
  signServerHello,
} from "./handshake-payloads.ts";
import type { AcceptOptions, SessionLimits } from "./options.ts";
import { ServerHellos } from "./server-hellos.ts";

/** Who a server has greeted: somebody with a certificate, who may have to prove more, or somebody who asks for one. */
export type Greeted =
  | {
      readonly kind: "participant";
      readonly client: VerifiedChain;
      /** Until when authenticators let it stay, ms since 1970. */
      readonly untilMs: number;
    }
  | { readonly kind: "challenged"; readonly client: VerifiedChain; readonly challenge: Bytes }
  | { readonly kind: "enrolment"; readonly code: Bytes | undefined; readonly request: Bytes };

/** What a server has before it sends WELCOME. */
export interface ServerOutcome extends SessionKeys {
  readonly channel: FrameChannel;
  readonly greeted: Greeted;
}

/** What the server's side needs. */
export interface ServerGreeting {
  readonly options: AcceptOptions;
  readonly limits: SessionLimits;
  readonly handshakeMs: number;
  /** Last checks and WELCOME; what it throws is told inside the session. */
  readonly finish: (outcome: ServerOutcome) => Promise<void>;
}

/**
 * The server's side, up to WELCOME. The connection is closed when it fails. Until the signature of message 3 has
 * verified all failures look alike to the peer: AUTH_FAILED, in clear. After that the reason goes encrypted.
 *
 * @throws PkiError, WireError, DecomposerError: the true reason, for the log and the audit record
 */
export async function greetClient(
  connection: Connection,
  greeting: ServerGreeting,
  modules: AllModules,
): Promise<ServerOutcome> {
  const channel = new FrameChannel(connection);
  const deadline = new Deadline(modules.clock, greeting.handshakeMs);
  try {
    const exchange = await deadline.race(begin({ channel, deadline, greeting, modules }));
    const proved = await deadline.race(prove(exchange, { greeting, modules }));
    const keys = await exchange.records(greeting.limits.record);
    return await deadline.race(admit({ ...keys, channel }, { proved, greeting, modules }));
  } catch (error) {
    // [W-17] one answer for everything; a reason that may be told has been told by `admit`
    if (!(error instanceof ToldError)) channel.send(writeError({ code: "ERR_AUTH_FAILED", detail: "" }));
    channel.close(4003, "ERR_AUTH_FAILED");
    throw error instanceof ToldError ? error.reason : error;
  } finally {
    deadline.cancel();
  }
}

/** A failure whose reason the peer has been told inside the session. */
class ToldError {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

interface Beginning {
  readonly channel: FrameChannel;
  readonly deadline: Deadline;
  readonly greeting: ServerGreeting;
  readonly modules: AllModules;
}

/** Messages 1 and 2. */
async function begin({ channel, deadline, greeting, modules }: Beginning): Promise<HandshakeExchange> {
  const { identity, project, root, noiseKey, revocations } = greeting.options;
  const { crypto } = modules;
  const staticKey = await (noiseKey ?? crypto.generateAgreementKey());
  const noise = await HandshakeState.start(
    { initiator: false, prologue: prologueOf(project), staticKey },
    modules,
  );
  const exchange = new HandshakeExchange(noise, { channel, deadline, crypto });
  const offer = decodeOffer((await exchange.read(FRAME_KIND.handshake1)).payload);
  // [W-11]
  const version = highestCommonVersion(SUPPORTED_VERSIONS, offer.versions);
  if (version === undefined) {
    throw new WireError(
      "ERR_VERSION_UNSUPPORTED",
      `the client speaks only versions ${offer.versions.join(", ")}`,
    );
  }
  // [W-12]
  if (offer.serverName !== identity.participant.name) {
    throw new WireError("ERR_AUTH_FAILED", "the client wants another server");
  }
  const { chain } = identity.participant;
  const { algorithm } = identity.signingKey;
  const versions = SUPPORTED_VERSIONS;
  // A list that is out of date goes out too: the client sees the reason, which it would not be told before message 3.
  await revocations.load();
  const revocationList = revocations.ofRoot?.der;
  const hello: ServerHello = { version, versions, chain, root, revocationList, algorithm };
  const encoded = await (modules.serverHellos ?? new ServerHellos()).encode(hello, modules);
  await exchange.write(FRAME_KIND.handshake2, async (hash) => {
    const signature = await exchange.sign("server", identity.signingKey, { hash, ...encoded });
    return signServerHello(encoded.part, signature);
  });
  return exchange;
}

interface Proving {
  readonly greeting: ServerGreeting;
  readonly modules: AllModules;
}

/** What message 3 has proved; a chain that failed while its key did sign is told why. */
interface Proved {
  readonly hello: ClientHello;
  readonly chain: VerifiedChain | { readonly refused: unknown } | undefined;
}

/** Message 3 up to its signature. */
async function prove(exchange: HandshakeExchange, { greeting, modules }: Proving): Promise<Proved> {
  const { payload, hash } = await exchange.read(FRAME_KIND.handshake3);
  const signed = decodeClientHello(payload);
  const { hello, key, chain } = await clientKey(signed, greeting.options, modules);
  const isClients =
    hello.algorithm === key.algorithm &&
    (await exchange.isSigned("client", key, { hash, part: signed.signedPart, signature: signed.signature }));
  // [W-17]
  if (!isClients) throw new WireError("ERR_AUTH_FAILED", "the handshake is not signed by the client's key");
  return { hello, chain };
}

async function clientKey(
  { payload: hello }: Signed<ClientHello>,
  { project, root, roles, revocations }: AcceptOptions,
  { crypto, clock, chainCache }: AllModules,
): Promise<Proved & { readonly key: VerifyingKey }> {
  if (hello.enrolment !== undefined) {
    const { publicKey, algorithm } = await openCertificateRequest(hello.enrolment.request, { crypto });
    const key = await crypto.importVerifyingKey(publicKey.spki, algorithm);
    return { hello, key, chain: undefined };
  }
  try {
    const expectations = { root, project, usage: "client", nowMs: clock.now() } as const;
    const restricted = roles === undefined ? expectations : { ...expectations, roles };
    // [W-111]
    const modules = { crypto, cache: chainCache, revocation: revocations };
    const chain = await verifyChain(hello.chain, restricted, modules);
    return { hello, chain, key: chain.verifyingKey };
  } catch (refused) {
    // Whoever holds the key may hear what is wrong with its certificate; nobody else may.
    return { hello, chain: { refused }, key: await keyOfLeaf(hello, { crypto, refused }) };
  }
}

async function keyOfLeaf(
  { chain, algorithm }: ClientHello,
  { crypto, refused }: Pick<AllModules, "crypto"> & { readonly refused: unknown },
): Promise<VerifyingKey> {
  const [leaf] = chain;
  if (leaf === undefined || (algorithm !== 1 && algorithm !== 2 && algorithm !== 3)) throw refused;
  const { publicKey } = await parseCertificate(leaf, { crypto });
  return await crypto.importVerifyingKey(publicKey.spki, algorithm);
}

interface Admitting extends Proving {
  readonly proved: Proved;
}

/** Everything after the signature: what fails here is told inside the session. */
async function admit(
  keys: SessionKeys & { readonly channel: FrameChannel },
  { proved, greeting, modules }: Admitting,
): Promise<ServerOutcome> {
  try {
    // [W-111] also who enrols is refused while nobody knows who is revoked
    await greeting.options.revocations.requireCurrent();
    const outcome: ServerOutcome = { ...keys, greeted: await greeted(proved, greeting.options) };
    await greeting.finish(outcome);
    return outcome;
  } catch (error) {
    const fault = faultOf(error);
    // A code without a number on the wire, as certificates' have none, goes as AUTH_FAILED with the reason in words.
    const code = ERRORS[fault.code].wire === undefined ? "ERR_AUTH_FAILED" : fault.code;
    const notice = writeError({ code, detail: detailForPeer(fault) });
    keys.channel.send(await keys.sender.seal(notice));
    modules.logger.warn("a client was refused after it was authenticated", { code: fault.code });
    throw new ToldError(error);
  }
}

async function greeted({ hello, chain }: Proved, options: AcceptOptions): Promise<Greeted> {
  if (hello.enrolment !== undefined) {
    // [W-65]
    if (options.enrolment === undefined) {
      throw new PkiError("ERR_INVITE_REFUSED", "this server does not enrol");
    }
    return { kind: "enrolment", ...hello.enrolment };
  }
  // [W-15]
  if (chain === undefined) throw new WireError("ERR_AUTH_FAILED", "message 3 brought no chain");
  if ("refused" in chain) throw chain.refused;
  const { channelBinding, externalCredential } = hello;
  await options.admit?.({ participant: chain.participant, channelBinding, externalCredential });
  const { participant, publicKey } = chain;
  // [W-156], [W-157]
  const decision = await options.authentication?.admit({
    participant,
    publicKey,
    credential: externalCredential,
  });
  if (decision?.kind === "challenged") {
    return { kind: "challenged", client: chain, challenge: decision.challenge };
  }
  return { kind: "participant", client: chain, untilMs: decision?.untilMs ?? Number.POSITIVE_INFINITY };
}
