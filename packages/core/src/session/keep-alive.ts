import { type Bytes, unpackBytes } from "../bytes/index.ts";
import { issueToken } from "../envelope/index.ts";
import {
  AuthenticationError,
  AuthorizationError,
  EnvelopeError,
  PkiError,
  WireError,
} from "../errors/index.ts";
import { heartbeat, tokens } from "./control-messages.ts";
import type { RevokedTokens } from "./options.ts";
import type { SessionParts } from "./session-parts.ts";
import type { Due } from "./shared-timer.ts";

/** Tokens are renewed when this part of their life is over. */
const RENEWAL_PART = 2 / 3;
/** A session without a valid token for this long ends. */
const TOKENLESS_MS = 60_000;
/** Longest time between two looks. */
const LOOK_MS = 15_000;
/** In this last part of a session's life a server ends it as soon as nothing is under way. */
const QUIET_PART = 1 / 72;

/** What keeps a session alive, or ends it. */
export interface KeepAliveOwner
  extends Pick<SessionParts, "session" | "established" | "serverKeyId" | "modules" | "outbox"> {
  /** When the last frame came, ms since 1970; the present while this side itself does not read. */
  heardMs(): number;
  /** True when nothing is under way in either direction. */
  isQuiet(): boolean;
  /** More to look at. @param nextMs until the next look */
  tick(nextMs: number): void;
  /** Ends the session. */
  fail(error: unknown): void;
}

/** What a session does in time: heartbeats, silence, renewal of tokens, the end of certificates and of its life. */
export class KeepAlive implements Due {
  dueMs = 0;
  place = -1;
  readonly #owner: KeepAliveOwner;
  readonly #endsMs: number;

  constructor(owner: KeepAliveOwner) {
    this.#owner = owner;
    this.#endsMs = owner.modules.clock.now() + owner.established.lifetimeMs;
  }

  /** Begins to tick. */
  start(): void {
    this.#owner.modules.timer.set(this, this.#nextMs());
  }

  /** Ticks no more; idempotent. */
  stop(): void {
    this.#owner.modules.timer.cancel(this);
  }

  /** Until the next look: soon, or at the moment at which something ends the session. */
  #nextMs(): number {
    const { heartbeatMs, peerNotAfterMs, admittedUntilMs, ownTokens, clockOffsetMs } =
      this.#owner.established;
    const nowMs = this.#owner.modules.clock.now();
    const tokenlessMs = ownTokens.expiresAt + TOKENLESS_MS - clockOffsetMs;
    let nextMs = Math.min(heartbeatMs, LOOK_MS);
    for (const timeMs of [this.#endsMs, peerNotAfterMs + 1, admittedUntilMs, tokenlessMs]) {
      if (timeMs > nowMs) nextMs = Math.min(nextMs, timeMs - nowMs);
    }
    return nextMs;
  }

  due(): void {
    try {
      this.#require(this.#owner.modules.clock.now());
      this.#owner.tick(this.#nextMs());
    } catch (error) {
      this.#owner.fail(error);
      return;
    }
    this.start();
    this.#act().catch((error: unknown) => this.#owner.fail(error));
  }

  #require(nowMs: number): void {
    const { established } = this.#owner;
    this.#requireLife(nowMs);
    // [W-40]
    if (nowMs - this.#owner.heardMs() >= established.silenceMs) {
      throw new WireError("ERR_CONNECTION_LOST", `nothing came for ${established.silenceMs} ms`);
    }
    const serverNowMs = nowMs + established.clockOffsetMs;
    // [W-64]
    if (established.scope === "full" && established.ownTokens.expiresAt + TOKENLESS_MS <= serverNowMs) {
      throw new EnvelopeError("ERR_TOKEN_EXPIRED", "the tokens of the session were not renewed in time");
    }
  }

  #requireLife(nowMs: number): void {
    const { established } = this.#owner;
    // [W-92]
    if (nowMs > established.peerNotAfterMs) {
      throw new PkiError("ERR_CERTIFICATE_EXPIRED", `a certificate of ${established.peer.name} has expired`);
    }
    // [W-158]
    if (nowMs >= established.admittedUntilMs) {
      throw new AuthenticationError(
        "ERR_CREDENTIAL_EXPIRED",
        `${established.peer.name} has to sign in again`,
      );
    }
    // [W-34] a server ends it earlier, at a moment when nothing is lost by it
    const quietMs = this.#endsMs - established.lifetimeMs * QUIET_PART;
    const isServer = established.direction === 1;
    const isTime = nowMs >= this.#endsMs || (isServer && nowMs >= quietMs && this.#owner.isQuiet());
    if (isTime) throw new WireError("ERR_GOING_AWAY", "the session has lived its time; connect again");
  }

  async #act(): Promise<void> {
    const nowMs = this.#owner.modules.clock.now();
    const { established, outbox, session } = this.#owner;
    if (established.scope !== "full") return;
    if (nowMs - outbox.lastSentMs >= established.heartbeatMs) await session.send(heartbeat, {});
    await this.#renewTokens(nowMs);
  }

  /** At the server: new tokens for both sides when two thirds of the old ones' life are over. */
  async #renewTokens(nowMs: number): Promise<void> {
    const { established, session, modules } = this.#owner;
    const { ownTokens, peerTokens, identity, peer, packedSid, direction } = established;
    const token = peerTokens.newest;
    if (direction !== 1 || token === undefined) return;
    if (nowMs < token.issuedAt + (token.expiresAt - token.issuedAt) * RENEWAL_PART) return;
    const sid = unpackBytes(packedSid);
    await requireUnrevoked(sid, modules.revokedTokens);
    const issuing = { key: identity.signingKey, crypto: modules.crypto };
    const request = { sid, nowMs, serverKeyId: await this.#owner.serverKeyId() };
    const client = await issueToken({ ...request, holder: peer }, issuing);
    const server = await issueToken({ ...request, holder: identity.participant }, issuing);
    peerTokens.add(client);
    const returnMs = modules.pace?.returnMs ?? 0;
    await session.send(tokens, { client: client.bytes, server: server.bytes, returnMs });
    // Only now: a message of ours that names the token must come after it.
    ownTokens.add(server);
  }
}

/** [W-180] */
async function requireUnrevoked(sid: Bytes, revokedTokens: RevokedTokens | undefined): Promise<void> {
  const code = await revokedTokens?.codeOf(sid);
  const detail = "another gateway ended this session";
  switch (code) {
    case undefined:
      return;
    case "ERR_SUPERSEDED":
      throw new WireError(code, detail);
    case "ERR_FORBIDDEN":
      throw new AuthorizationError(code, detail);
    case "ERR_REVOKED":
    case "ERR_SUSPENDED":
      throw new PkiError(code, detail);
  }
}
