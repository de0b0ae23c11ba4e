import type { Bytes } from "../bytes/index.ts";
import type { DecomposerRegistry } from "../decomposer/index.ts";
import type { ObjectReplayStore, ObjectRule } from "../envelope/index.ts";
import type { ChainCache, Identity, Participant, RevocationLists, Role } from "../pki/index.ts";
import type { AgreementKey, Awaitable, Clock, CryptoProvider, Logger, Metrics } from "../platform/index.ts";
import type { RecordLimits } from "../wire/index.ts";
import type { LoginAuthentication } from "./login-authentication.ts";
import type { LoginPace } from "./pace.ts";
import type { ServerHellos } from "./server-hellos.ts";
import type { SharedTimer } from "./shared-timer.ts";

/** Ends of a session that revoke its tokens, at whichever gateway. */
export type RevokingCode = "ERR_SUPERSEDED" | "ERR_REVOKED" | "ERR_SUSPENDED" | "ERR_FORBIDDEN";

/** Tokens that were revoked before they expire, as all gateways of a project know them. */
export interface RevokedTokens {
  /** Why the tokens of a session count no more; `undefined` while they do. @param session its id, 32 bytes */
  codeOf(session: Bytes): Promise<RevokingCode | undefined>;
}

/** What sessions work with; one set serves all sessions of a process. */
export interface SessionModules {
  /** A synchronous provider keeps everything in microtasks. */
  readonly crypto: CryptoProvider;
  /** Timers and time of the session. */
  readonly clock: Clock;
  /** Types that may travel; the built-in ones by default. */
  readonly registry?: DecomposerRegistry;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Default: none. */
  readonly metrics?: Metrics;
  /** Chains that were validated; shared by all sessions it saves most of a handshake. Default: one for each session. */
  readonly chainCache?: ChainCache;
  /** Encodings of what a server tells all clients, shared by all its sessions. Default: encoded for each. */
  readonly serverHellos?: ServerHellos;
  /** The timer of sessions that wait, shared by all of a process: one of their own is 350 bytes each. Default: one for each. */
  readonly timer?: SharedTimer;
  /** Who logs in when, shared by all sessions of a server. Default: nobody is sent away. */
  readonly pace?: LoginPace;
  /** Asked by a server before it renews the tokens of a session. Default: none is revoked. */
  readonly revokedTokens?: RevokedTokens;
  /**
   * Objects that were handled, asked for when the first object of a session comes: most sessions have none. Default: in
   * memory for one session; a host that takes commands gives one that lasts.
   */
  readonly replayStore?: () => ObjectReplayStore;
}

/** Times of a session, in ms. */
export interface SessionTimings {
  /** A handshake must be through within this time. Default 10 000. */
  readonly handshakeMs: number;
  /** A side that has sent nothing for this long sends a heartbeat. Default 15 000. */
  readonly heartbeatMs: number;
  /** A side from which nothing came for this long is gone. Default 45 000. */
  readonly silenceMs: number;
  /** A session ends after this time; the client connects again. Default and most: 12 h. */
  readonly lifetimeMs: number;
}

/** Limits of a session. */
export interface SessionLimits {
  /**
   * Credit of a stream that is granted and not written yet at most, in bytes: what the way needs is granted, up to this,
   * which a way of 100 ms fills at 80 MB a second. Default 8 MiB, at most 64 MiB.
   */
  readonly windowBytes: number;
  /** Largest stream that is accepted, in bytes. Default 4 GiB. */
  readonly streamBytes: number;
  /** Frames a second that are read on average; beyond it the peer is slowed down. Default 10 000. */
  readonly framesPerSecond: number;
  /** Work that frames may cause on average, ms of processor a second by the session's own price list. Default 1000. */
  readonly workMsPerSecond: number;
  /** Messages and blob chunks that wait for their handler, in bytes; beyond it nothing more is read. Default 16 MiB. */
  readonly waitingBytes: number;
  /** How much a key may encrypt, and for how long, before the next takes its place. Default and most: `RECORD_LIMITS`. */
  readonly record: RecordLimits;
}

/** What both sides are told. */
export interface SessionOptions {
  /** Own certificate and key. */
  readonly identity: Identity;
  /** Name of the project. */
  readonly project: string;
  /** Pinned root of the project, DER. */
  readonly root: Bytes;
  /** Times that differ from the defaults. */
  readonly timings?: Partial<SessionTimings>;
  /** Limits that differ from the defaults. */
  readonly limits?: Partial<SessionLimits>;
  /** Objects that are accepted, by type; by default jobs of users and publications of the server. */
  readonly objectRules?: ReadonlyMap<number, ObjectRule>;
  /** Static Noise key of the process; a fresh one by default. Never one that was stored. */
  readonly noiseKey?: Awaitable<AgreementKey>;
  /** Who is asked about the peer after its certificate. Default: the certificate is enough. */
  readonly authentication?: LoginAuthentication;
}

/** What a client is told. */
export interface ConnectOptions extends SessionOptions {
  /**
   * What is known about revoked certificates; shared by all sessions of a process, and kept beyond it, so that no server
   * goes back to an older list. Default: what this server brings, forgotten with the session.
   */
  readonly revocations?: RevocationLists;
  /** Name that the server's certificate must carry. */
  readonly serverName: string;
  /** TLS exporter value (RFC 9266), 32 bytes, where the kit demands it. */
  readonly channelBinding?: Bytes;
  /** Credential for an external authenticator, at most 8 KiB. */
  readonly externalCredential?: Bytes;
}

/** Who asks to be admitted, after chain and signature verified. */
export interface Admission {
  /** From its certificate. */
  readonly participant: Participant;
  /** TLS exporter value that the client sent. */
  readonly channelBinding: Bytes | undefined;
  /** Credential for an external authenticator that the client sent. */
  readonly externalCredential: Bytes | undefined;
}

/** Issues certificates to who enrols. */
export interface EnrolmentAuthority {
  /**
   * Takes a code once and issues a certificate for the key of the request; everything else comes from the invite.
   *
   * @param code 16 bytes @param request PKCS#10, DER, whose signature has been verified
   * @returns certificates, leaf first, without the root
   * @throws PkiError `ERR_INVITE_REFUSED` when the code is unknown, used up or expired
   */
  redeem(code: Bytes, request: Bytes): Promise<{ readonly chain: readonly Bytes[] }>;
  /**
   * A key asks for its certificate without an invite: the next one when it has one, else what administrators decided.
   * Absent: who has no invite is refused.
   *
   * @param request PKCS#10, DER, whose signature has been verified
   * @param address that the connection comes from, for limits only
   * @throws PkiError `ERR_REQUEST_PENDING`, `ERR_REQUEST_DENIED`, `ERR_QUOTA_EXCEEDED`, `ERR_REVOKED`,
   *   `ERR_CERTIFICATE_EXPIRED`
   */
  ask?(request: Bytes, address: string): Promise<{ readonly chain: readonly Bytes[] }>;
}

/** What a server is told. */
export interface AcceptOptions extends SessionOptions {
  /** The lists of the root and of the enrolment CA, by which clients are refused; the root's goes to every client. */
  readonly revocations: RevocationLists;
  /** Roles that may connect. Default: all but server. */
  readonly roles?: readonly Role[];
  /** A last word on who connects; what it throws is told to the peer inside the encrypted session. */
  readonly admit?: (admission: Admission) => Awaitable<void>;
  /** Absent: enrolment is refused. */
  readonly enrolment?: EnrolmentAuthority;
  /** Number of the policy in force, shown to clients in WELCOME. Default 0. */
  readonly policyEpoch?: number;
}

/** Times where an option does not say otherwise. */
export const DEFAULT_TIMINGS: SessionTimings = {
  handshakeMs: 10_000,
  heartbeatMs: 15_000,
  silenceMs: 45_000,
  lifetimeMs: 12 * 3_600_000,
};
