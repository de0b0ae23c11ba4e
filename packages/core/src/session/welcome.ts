import type { Bytes } from "../bytes/index.ts";
import { readPositional, writePositional } from "../decomposer/index.ts";
import { MAX_RETRY_MS } from "../envelope/index.ts";
import { WireError } from "../errors/index.ts";
import type { RevocationNumber } from "../pki/index.ts";
import { FRAME_KIND, type Frame, MAX_FRAME_BYTES, writeFrame } from "../wire/index.ts";

const MAX_TOKEN_BYTES = 8192;
const MAX_LISTS = 16;
/** Clocks that differ by more end the session. */
const MAX_SKEW_MS = 300_000;

/** What a session may do. */
export type SessionScope = "full" | "enrol" | "challenge";

/** Limits that the server tells in WELCOME. */
export interface WelcomeLimits {
  /** Largest frame, bytes. */
  readonly frameBytes: number;
  /** Largest stream, bytes. */
  readonly streamBytes: number;
  /** A client that sent nothing for this long sends a heartbeat, ms. */
  readonly heartbeatMs: number;
  /** The server ends a session in which nothing came for this long, ms. */
  readonly silenceMs: number;
  /** Time over which clients spread when they lose the server, ms; at most an hour. */
  readonly returnMs: number;
}

/** Message 4 (kind 4), the first frame inside the session. */
export interface Welcome {
  /** The client's token; absent unless the session is "full". */
  readonly clientToken: Bytes | undefined;
  /** The server's own token; absent unless the session is "full". */
  readonly serverToken: Bytes | undefined;
  /** The revocation lists that the server goes by. */
  readonly revocationNumbers: readonly RevocationNumber[];
  /** Number of the policy in force. */
  readonly policyEpoch: number;
  readonly limits: WelcomeLimits;
  /** ms since 1970 at the server. */
  readonly serverClockMs: number;
  readonly scope: SessionScope;
}

/** `[clientToken|nil, serverToken|nil, crlNumbers, policyEpoch, limits, serverClock, resumed nil, scope]` */
export function writeWelcome(welcome: Welcome): Bytes {
  const { limits } = welcome;
  const payload = writePositional([
    welcome.clientToken,
    welcome.serverToken,
    welcome.revocationNumbers.map(({ issuer, number }) => [issuer, number]),
    welcome.policyEpoch,
    [limits.frameBytes, limits.streamBytes, limits.heartbeatMs, limits.silenceMs, limits.returnMs],
    welcome.serverClockMs,
    null, // nothing is resumed in this version
    welcome.scope,
  ]);
  return writeFrame(FRAME_KIND.welcome, { payload });
}

/** @throws DecomposerError `ERR_DECODE_REFUSED`, WireError `ERR_FRAME_MALFORMED` */
export function readWelcome(frame: Frame): Welcome {
  // [W-27]
  if (frame.header.byteLength !== 0 || frame.tag.byteLength !== 0) {
    throw new WireError("ERR_FRAME_MALFORMED", "WELCOME is a payload");
  }
  return readPositional(frame.payload, (reader) => {
    const clientToken = reader.nullable(() => reader.bin(undefined, MAX_TOKEN_BYTES));
    const serverToken = reader.nullable(() => reader.bin(undefined, MAX_TOKEN_BYTES));
    const revocationNumbers = reader.array(MAX_LISTS, () =>
      reader.tuple(() => ({ issuer: reader.bin(32), number: reader.uint() })),
    );
    const policyEpoch = reader.uint();
    const limits = reader.tuple(() => ({
      frameBytes: reader.uint(MAX_FRAME_BYTES, 65_536),
      streamBytes: reader.uint(),
      heartbeatMs: reader.uint(3_600_000, 1),
      silenceMs: reader.uint(86_400_000, 1),
      returnMs: reader.uint(MAX_RETRY_MS),
    }));
    const serverClockMs = reader.uint();
    const resumed = reader.nullable(() => reader.boolean());
    const scope = reader.oneOf(["full", "enrol", "challenge"]);
    if (resumed !== undefined) throw new WireError("ERR_FRAME_MALFORMED", "nothing was asked to be resumed");
    return { clientToken, serverToken, revocationNumbers, policyEpoch, limits, serverClockMs, scope };
  });
}

/**
 * Server clock minus local clock.
 * @throws WireError `ERR_CLOCK_SKEW` when they differ by more than five minutes
 */
export function clockOffset(serverClockMs: number, nowMs: number): number {
  const offset = serverClockMs - nowMs;
  // [W-28]
  if (Math.abs(offset) > MAX_SKEW_MS) {
    const seconds = Math.round(Math.abs(offset) / 1000);
    throw new WireError(
      "ERR_CLOCK_SKEW",
      `the local clock is ${seconds} s ${offset > 0 ? "behind" : "ahead of"} the server's`,
    );
  }
  return offset;
}
