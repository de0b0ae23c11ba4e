import { type Bytes, equalBytes } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import { createCertificateRequest, RevocationLists, verifyChain } from "../pki/index.ts";
import type { AgreementKey, Connection, SigningKey } from "../platform/index.ts";
import { RECORD_LIMITS } from "../wire/index.ts";
import { type ClientOutcome, greet } from "./client-handshake.ts";
import { enrolled } from "./control-messages.ts";
import { type AllModules, completeModules } from "./established.ts";
import { Deadline } from "./frame-channel.ts";
import { DEFAULT_TIMINGS, type SessionModules } from "./options.ts";
import { receiveLast } from "./receive-last.ts";

/** What the link of an invite, or an administrator, says, and who asks. */
export interface EnrolOptions {
  /** Name of the project. */
  readonly project: string;
  /** Name that the server's certificate must carry. */
  readonly serverName: string;
  /** SHA-256 of the project's root, from the link: the one thing that is trusted beforehand. */
  readonly rootFingerprint: Bytes;
  /** 16 bytes, from the link; absent for a key that renews, or waits to be approved. */
  readonly inviteCode?: Bytes;
  /** PKCS#10 request, DER, signed by `signingKey`. */
  readonly request: Bytes;
  /** Key to be certified; need not be extractable. */
  readonly signingKey: SigningKey;
  /** Static Noise key of the process; a fresh one by default. */
  readonly noiseKey?: AgreementKey;
  /** The whole must be through within this time. Default 10 000 ms. */
  readonly handshakeMs?: number;
}

/** What an enrolment yields. */
export interface Enrolled {
  /** Certificates, leaf first, without the root; verified, for this key. */
  readonly chain: readonly Bytes[];
  /** Root of the project, DER: pin it from now on. */
  readonly root: Bytes;
}

/**
 * Asks for a certificate over the same handshake as a session: the server proves itself by a chain to the root that the
 * link names before the code leaves. Without a code a key asks for its next certificate, or for its first one, which
 * administrators approve. The connection is closed in any case.
 *
 * @throws PkiError `ERR_INVITE_REFUSED`, `ERR_REQUEST_PENDING`, `ERR_REQUEST_DENIED`, `ERR_CERTIFICATE_UNTRUSTED` when the root is not that of the link, others when
 *   a chain does not verify; WireError
 */
export async function enrolOverSession(
  connection: Connection,
  options: EnrolOptions,
  modules: SessionModules,
): Promise<Enrolled> {
  const all = completeModules(modules);
  const handshakeMs = options.handshakeMs ?? DEFAULT_TIMINGS.handshakeMs;
  const { project, serverName, signingKey, inviteCode, request } = options;
  const outcome = await greet(
    connection,
    {
      project,
      serverName,
      requireRoot: rootOfLink(options.rootFingerprint, all),
      revocationsOf: listsOfEnrolment(project, all),
      hello: {
        chain: [],
        enrolment: { request, code: inviteCode },
        channelBinding: undefined,
        externalCredential: undefined,
      },
      signingKey,
      noiseKey: options.noiseKey,
      handshakeMs,
      recordLimits: RECORD_LIMITS,
    },
    all,
  );
  const deadline = new Deadline(all.clock, handshakeMs);
  try {
    // [W-67]
    const { chain } = await deadline.race(receiveLast(outcome, enrolled, all));
    await requireOwn(chain, { outcome, options, modules: all });
    return { chain, root: outcome.root };
  } finally {
    deadline.cancel();
    outcome.channel.close(1000, "");
  }
}

/** What {@link renewByKey} is told. */
export interface RenewalByKey {
  /** Name of the project. */
  readonly project: string;
  /** Name that the server's certificate must carry. */
  readonly serverName: string;
  /** Pinned root of the project, DER. */
  readonly root: Bytes;
  /** Key whose certificate has expired, or expires. */
  readonly signingKey: SigningKey;
  /** Name in it. */
  readonly name: string;
}

/**
 * Asks for the next certificate of a key that was issued one before, also when that has expired for up to 30 days. The
 * connection is closed in any case.
 *
 * @throws PkiError `ERR_REVOKED`, `ERR_CERTIFICATE_EXPIRED` as WireError `ERR_AUTH_FAILED`; WireError
 */
export async function renewByKey(
  connection: Connection,
  { root, name, ...options }: RenewalByKey,
  modules: SessionModules,
): Promise<Enrolled> {
  const { crypto } = modules;
  const request = await createCertificateRequest({ commonName: name }, options.signingKey, { crypto });
  const rootFingerprint = await crypto.sha256(root);
  return await enrolOverSession(connection, { ...options, rootFingerprint, request }, modules);
}

/** [W-66] the root is the one that the link names. */
function rootOfLink(fingerprint: Bytes, { crypto }: AllModules): (root: Bytes) => Promise<void> {
  return async (root) => {
    if (equalBytes(await crypto.sha256(root), fingerprint)) return;
    throw new PkiError("ERR_CERTIFICATE_UNTRUSTED", "the server has another root than the one in the link");
  };
}

/** The lists that the server brings; who has no certificate yet has seen none before. */
function listsOfEnrolment(project: string, modules: AllModules): (root: Bytes) => RevocationLists {
  let lists: RevocationLists | undefined;
  return (root) => {
    lists ??= new RevocationLists({ project, root }, modules);
    return lists;
  };
}

interface Owning {
  readonly outcome: ClientOutcome;
  readonly options: EnrolOptions;
  readonly modules: AllModules;
}

/** [W-68] the certificate is valid, of this project, and for the key that asked. */
async function requireOwn(chain: readonly Bytes[], { outcome, options, modules }: Owning): Promise<void> {
  const { crypto, clock } = modules;
  const { publicKey } = await verifyChain(
    chain,
    { root: outcome.root, project: options.project, usage: "client", nowMs: clock.now() },
    { crypto },
  );
  if (!equalBytes(publicKey, options.signingKey.publicKey)) {
    throw new PkiError("ERR_CERTIFICATE_NAME", "the certificate is for another key than the one that asked");
  }
}
