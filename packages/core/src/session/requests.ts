import { type Bytes, toHex } from "../bytes/index.ts";
import { identifyObject } from "../envelope/index.ts";
import { isErrorCode, JobError, PhotinusError, WireError } from "../errors/index.ts";
import type { MessageDefinition } from "../message/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import type { ReceivedMessage, Refusal, Session } from "./session.ts";

/** What the server refused: code and detail as it told them. */
export class RequestError extends PhotinusError {}

/** Replies to one request that nobody has read yet: when more come it fails, for whoever answers may not stop. */
export const MAX_UNREAD_REPLIES = 4096;

interface Pending {
  readonly onReply: (body: unknown) => void;
  readonly onFailure: (error: unknown) => void;
}

/** A message that is sent again as the same. */
export interface Resent<Body> {
  /** Its kind. */
  readonly definition: MessageDefinition<Body>;
  /** What it says. */
  readonly body: Body;
  /** 16 bytes. */
  readonly messageId: Bytes;
}

/** Requests that wait for their replies, by message id. */
export class Requests {
  #session: Session | undefined;
  readonly #crypto: CryptoProvider;
  readonly #pending = new Map<string, Pending>();

  constructor(crypto: CryptoProvider) {
    this.#crypto = crypto;
  }

  /** From here on requests go over this session; those that wait for replies of an earlier one have failed with it. */
  use(session: Session): void {
    this.#session = session;
    session.signal.addEventListener("abort", () => this.#failAll(session.signal.reason), { once: true });
  }

  get #live(): Session {
    if (this.#session === undefined) throw new TypeError("there is no session yet");
    return this.#session;
  }

  /**
   * Sends a request and waits for the first reply.
   * @throws RequestError with the server's code, WireError when the session ends first, the signal's reason
   */
  async ask<Body>(definition: MessageDefinition<Body>, body: Body, signal?: AbortSignal): Promise<unknown> {
    return await this.#first((ends) => this.stream(definition, body, ends), signal);
  }

  /** Sends a message under an id that it may have had in an earlier session, and waits for the first reply. @throws as {@link ask} */
  async askAgain<Body>(
    { definition, body, messageId }: Resent<Body>,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const send = (): Promise<unknown> => this.#live.send(definition, body, { messageId });
    return await this.#first((ends) => this.#replies(messageId, send, ends), signal);
  }

  /** Sends a signed OBJECT and waits for the reply to its id. @throws as {@link ask} */
  async order(object: Bytes, chain: readonly Bytes[], signal?: AbortSignal): Promise<unknown> {
    const { objectId } = identifyObject(object);
    const send = (): Promise<unknown> => this.#live.sendObject(object, chain);
    return await this.#first((ends) => this.#replies(objectId, send, ends), signal);
  }

  async #first(
    replies: (ends: AbortSignal) => AsyncIterable<unknown>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const stop = new AbortController();
    const ends = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    try {
      for await (const reply of replies(ends)) return reply;
      throw signal?.reason ?? new WireError("ERR_CANCELLED", "the request was given up");
    } finally {
      stop.abort();
    }
  }

  /** Sends a request and yields every reply, until the signal is aborted. @throws as {@link ask} */
  async *stream<Body>(
    definition: MessageDefinition<Body>,
    body: Body,
    signal: AbortSignal,
  ): AsyncGenerator<unknown, void, undefined> {
    const messageId = this.#crypto.randomBytes(16);
    const send = (): Promise<unknown> => this.#live.send(definition, body, { messageId });
    yield* this.#replies(messageId, send, signal);
  }

  async *#replies(
    messageId: Bytes,
    send: () => Promise<unknown>,
    signal: AbortSignal,
  ): AsyncGenerator<unknown, void, undefined> {
    const name = toHex(messageId);
    const replies: unknown[] = [];
    let failure: { readonly error: unknown } | undefined;
    let wake = (): void => undefined;
    this.#pending.set(name, {
      onReply: (reply) => {
        if (replies.length < MAX_UNREAD_REPLIES) replies.push(reply);
        else failure ??= { error: new WireError("ERR_RATE_LIMITED", "more replies came than were read") };
        wake();
      },
      onFailure: (error) => {
        failure ??= { error };
        wake();
      },
    });
    const onAbort = (): void => wake();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      await send();
      while (!signal.aborted) {
        const reply = replies.shift();
        if (reply !== undefined) yield reply;
        else if (failure !== undefined) throw failure.error;
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.#pending.delete(name);
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** A reply arrived; one that nobody waits for is dropped. */
  reply(body: unknown, { inReplyTo }: ReceivedMessage): void {
    if (inReplyTo !== undefined) this.#pending.get(toHex(inReplyTo))?.onReply(body);
  }

  /** The server cannot meet a request. */
  failed({ code, detail }: { readonly code: string; readonly detail: string }, inReplyTo?: Uint8Array): void {
    if (inReplyTo === undefined) return;
    const known = isErrorCode(code) ? code : "ERR_INTERNAL";
    this.#pending.get(toHex(inReplyTo))?.onFailure(new RequestError(known, detail));
  }

  /** The server's session layer refused a message. */
  refused({ code, detail, inReplyTo }: Refusal): void {
    this.failed({ code, detail }, inReplyTo);
  }

  #failAll(reason: unknown): void {
    const error = reason ?? new JobError("ERR_JOB_UNKNOWN", "the session ended");
    for (const { onFailure } of [...this.#pending.values()]) onFailure(error);
  }
}
