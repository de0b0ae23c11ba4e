import type { Bytes } from "../bytes/index.ts";
import type { ErrorNotice } from "../envelope/index.ts";

/** A fault in something that the peer sent, with the id of the message when it is known. */
export class RefusedInput {
  readonly error: unknown;
  /** Absent: there is nothing to reply to, so the session ends. */
  readonly messageId: Bytes | undefined;

  constructor(error: unknown, messageId: Bytes | undefined) {
    this.error = error;
    this.messageId = messageId;
  }
}

/** The peer's last word. */
export class PeerEnded {
  readonly notice: ErrorNotice;

  constructor(notice: ErrorNotice) {
    this.notice = notice;
  }
}

/** @param messageId of the message at fault, when it is known */
export function refused(error: unknown, messageId?: Bytes): RefusedInput {
  return new RefusedInput(error, messageId);
}

/** What `action` returns. @throws RefusedInput for what it throws */
export function asRefused<T>(action: () => T, messageId?: Bytes): T {
  try {
    return action();
  } catch (error) {
    throw refused(error, messageId);
  }
}

/** What `action` resolves to. @throws RefusedInput for what it rejects with: the session ends */
export async function asyncRefused<T>(action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    throw refused(error);
  }
}
