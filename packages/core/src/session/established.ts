import type { Bytes } from "../bytes/index.ts";
import { builtInRegistry, type DecomposerRegistry } from "../decomposer/index.ts";
import type { Direction, ObjectReplayStore, ObjectRule, TokenBook } from "../envelope/index.ts";
import { MAX_COMMAND_LIFETIME_MS, MAX_OBJECT_LIFETIME_MS } from "../envelope/index.ts";
import { OBJECT_TYPES, USER_ROLES } from "../message/index.ts";
import { ChainCache, type Identity, type Participant, type RevocationLists } from "../pki/index.ts";
import {
  type Clock,
  type CryptoProvider,
  type Logger,
  type Metrics,
  noMetrics,
  silentLogger,
  type VerifyingKey,
} from "../platform/index.ts";
import { RECORD_LIMITS, type RecordReceiver, type RecordSender } from "../wire/index.ts";
import type { FrameChannel } from "./frame-channel.ts";
import {
  DEFAULT_TIMINGS,
  type RevokedTokens,
  type SessionLimits,
  type SessionModules,
  type SessionTimings,
} from "./options.ts";
import type { LoginPace } from "./pace.ts";
import type { ServerHellos } from "./server-hellos.ts";
import { SharedTimer } from "./shared-timer.ts";
import { MAX_SUSPENSION_MS } from "./suspension.ts";
import type { SessionScope } from "./welcome.ts";

/** Modules with every default filled in. */
export interface AllModules {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly registry: DecomposerRegistry;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly chainCache: ChainCache;
  readonly timer: SharedTimer;
  /** Absent: each session has one of its own. */
  readonly replayStore?: () => ObjectReplayStore;
  /** At a server that has one. */
  readonly pace?: LoginPace;
  /** At a server that shares its metadata with others. */
  readonly revokedTokens?: RevokedTokens;
  /** At a server that has one. */
  readonly serverHellos?: ServerHellos;
}

/** Fills in the defaults; modules that are complete are the same for all sessions that are given them. */
export function completeModules(modules: SessionModules): AllModules {
  if (isComplete(modules)) return modules;
  return {
    ...modules,
    registry: modules.registry ?? builtInRegistry(),
    logger: modules.logger ?? silentLogger,
    metrics: modules.metrics ?? noMetrics,
    chainCache: modules.chainCache ?? new ChainCache(),
    timer: modules.timer ?? new SharedTimer(modules.clock),
  };
}

function isComplete(modules: SessionModules): modules is AllModules {
  const { registry, logger, metrics, chainCache, timer } = modules;
  return [registry, logger, metrics, chainCache, timer].every((module) => module !== undefined);
}

const MAX_WINDOW_BYTES = 64 * 1_048_576;

const DEFAULT_LIMITS: SessionLimits = {
  windowBytes: 8 * 1_048_576,
  streamBytes: 4 * 2 ** 30,
  framesPerSecond: 10_000,
  workMsPerSecond: 1000,
  waitingBytes: 16 * 1_048_576,
  record: RECORD_LIMITS,
};

/** Fills in the defaults. @throws RangeError for a window above 64 MiB, or keys that carry more than the protocol lets them */
export function completeLimits(limits?: Partial<SessionLimits>): SessionLimits {
  if (limits === undefined) return DEFAULT_LIMITS;
  const complete = { ...DEFAULT_LIMITS, ...limits };
  if (complete.windowBytes > MAX_WINDOW_BYTES) throw new RangeError("a window is 64 MiB at most");
  const { frames, bytes, ageMs } = complete.record;
  const isKept =
    frames >= 2 &&
    frames <= RECORD_LIMITS.frames &&
    bytes <= RECORD_LIMITS.bytes &&
    ageMs <= RECORD_LIMITS.ageMs;
  if (!isKept) throw new RangeError("a key carries 2 to 2^22 frames and 64 GiB, for an hour at most");
  return complete;
}

/** Fills in the defaults. @throws RangeError for a life of more than 12 h */
export function completeTimings(timings: Partial<SessionTimings> = {}): SessionTimings {
  const complete = { ...DEFAULT_TIMINGS, ...timings };
  if (complete.lifetimeMs > DEFAULT_TIMINGS.lifetimeMs) throw new RangeError("a session lives 12 h at most");
  return complete;
}

const DECISION: ObjectRule = {
  signers: ["project_admin"],
  maximumLifetimeMs: MAX_SUSPENSION_MS,
  counted: false,
};

/** Jobs of users and publications of the server, for up to 30 days; their ends by users, for 10 minutes; suspensions by administrators, for up to 7 days; heads of audit chains, for 10 minutes. */
export const DEFAULT_OBJECT_RULES: ReadonlyMap<number, ObjectRule> = new Map<number, ObjectRule>([
  [OBJECT_TYPES.job, { signers: USER_ROLES, maximumLifetimeMs: MAX_OBJECT_LIFETIME_MS, counted: false }],
  [
    OBJECT_TYPES.publication,
    { signers: ["server"], maximumLifetimeMs: MAX_OBJECT_LIFETIME_MS, counted: false },
  ],
  [
    OBJECT_TYPES.jobAbort,
    { signers: USER_ROLES, maximumLifetimeMs: MAX_COMMAND_LIFETIME_MS, counted: false },
  ],
  [
    OBJECT_TYPES.jobDeletion,
    { signers: USER_ROLES, maximumLifetimeMs: MAX_COMMAND_LIFETIME_MS, counted: false },
  ],
  [OBJECT_TYPES.suspension, DECISION],
  [OBJECT_TYPES.resumption, DECISION],
  [
    OBJECT_TYPES.auditHead,
    { signers: ["server", "site"], maximumLifetimeMs: MAX_COMMAND_LIFETIME_MS, counted: false },
  ],
]);

/** What a handshake has yielded: all that a session is made of. */
export interface Established {
  readonly channel: FrameChannel;
  readonly sender: RecordSender;
  readonly receiver: RecordReceiver;
  /** Final handshake hash, packed. */
  readonly packedSid: string;
  readonly scope: SessionScope;
  readonly identity: Identity;
  readonly peer: Participant;
  /** The peer's key, from its verified certificate. */
  readonly peerKey: VerifyingKey;
  /** Last moment at which the peer's certificates are valid, ms since 1970 by the local clock. */
  readonly peerNotAfterMs: number;
  /** Until when authenticators let the peer stay, ms since 1970; `Infinity` without an end. */
  readonly admittedUntilMs: number;
  /** Direction in which this side sends. */
  readonly direction: Direction;
  readonly clockOffsetMs: number;
  /** Time over which clients spread when they lose the server, ms; at the client it follows what the server says. */
  readonly spread: { returnMs: number };
  /** Tokens that this side sends with. */
  readonly ownTokens: TokenBook;
  /** Tokens that the peer sends with. */
  readonly peerTokens: TokenBook;
  /** Pinned root of the project, DER. */
  readonly root: Bytes;
  /** What is known about revoked certificates. */
  readonly revocations: RevocationLists;
  readonly limits: SessionLimits;
  readonly objectRules: ReadonlyMap<number, ObjectRule>;
  readonly heartbeatMs: number;
  readonly silenceMs: number;
  readonly lifetimeMs: number;
}
