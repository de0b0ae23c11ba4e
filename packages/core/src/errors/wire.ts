import type { ErrorHandling } from "./definition.ts";
import { PhotinusError, type PhotinusErrorOptions } from "./photinus-error.ts";

/** A code of {@link WireError}. */
export type WireErrorCode =
  | "ERR_FRAME_MALFORMED"
  | "ERR_VERSION_UNSUPPORTED"
  | "ERR_AUTH_FAILED"
  | "ERR_TOO_LARGE"
  | "ERR_RATE_LIMITED"
  | "ERR_SEQUENCE_GAP"
  | "ERR_SUPERSEDED"
  | "ERR_GOING_AWAY"
  | "ERR_RESUME_REFUSED"
  | "ERR_CLOCK_SKEW"
  | "ERR_TLS_MODE"
  | "ERR_BUSY"
  | "ERR_UPLOAD_SLOW"
  | "ERR_CONNECTION_LOST"
  | "ERR_CONNECTION_REFUSED"
  | "ERR_X25519_MISSING"
  | "ERR_CRYPTO_MISSING"
  | "ERR_CANCELLED"
  | "ERR_INTERNAL";

/** What the codes mean, of frames, the handshake and the encrypted session. */
export const WIRE_ERRORS: Readonly<Record<WireErrorCode, ErrorHandling>> = {
  ERR_FRAME_MALFORMED: { wire: 4000, action: "close" },
  ERR_VERSION_UNSUPPORTED: { wire: 4001, action: "close" },
  ERR_AUTH_FAILED: { wire: 4003, action: "close" },
  ERR_TOO_LARGE: { wire: 4004, action: "close" },
  ERR_RATE_LIMITED: { wire: 4005, action: "back-off" },
  ERR_SEQUENCE_GAP: { wire: 4014, action: "close" },
  ERR_SUPERSEDED: { wire: 4023, action: "close" },
  ERR_GOING_AWAY: { wire: 4024, action: "back-off" },
  ERR_RESUME_REFUSED: { wire: 4025, action: "back-off" },
  ERR_CLOCK_SKEW: { wire: 4026, action: "close" },
  ERR_TLS_MODE: { wire: 4044, action: "stop" },
  ERR_BUSY: { wire: 4027, action: "back-off" },
  ERR_UPLOAD_SLOW: { wire: 4045, action: "back-off" },
  ERR_CONNECTION_LOST: { action: "back-off" },
  ERR_CONNECTION_REFUSED: { action: "back-off" },
  ERR_X25519_MISSING: { action: "stop" },
  ERR_CRYPTO_MISSING: { action: "stop" },
  ERR_CANCELLED: { action: "stop" },
  ERR_INTERNAL: { wire: 4500, action: "close" },
};

/** What a person does about them. */
export const WIRE_REMEDIES: Readonly<Record<WireErrorCode, string>> = {
  ERR_FRAME_MALFORMED: "Update the peer: it sends frames that protocol version 1 does not define.",
  ERR_VERSION_UNSUPPORTED: "Update the older side: the two have no protocol version in common.",
  ERR_AUTH_FAILED:
    "Check that kit, project and server name belong together and that the certificate is still valid.",
  ERR_TOO_LARGE: "Send less at once: the limits are in the WELCOME of the session.",
  ERR_RATE_LIMITED: "Wait as long as the server asks, then try again.",
  ERR_SEQUENCE_GAP: "Reconnect; if it happens again, something between the peers alters or drops frames.",
  ERR_SUPERSEDED: "Go on there, or stop the other process or device and start here again.",
  ERR_GOING_AWAY: "The peer stops; reconnect later.",
  ERR_RESUME_REFUSED: "Start a fresh session.",
  ERR_CLOCK_SKEW: "Set the clock of this machine: it differs from the server's by more than five minutes.",
  ERR_TLS_MODE:
    "Connect as the kit says: mtls needs TLS up to the server, so an ingress passes it through by SNI; or have the kit issued again.",
  ERR_BUSY: "Come back after the time that the server names.",
  ERR_UPLOAD_SLOW:
    "Nothing to do: the upload goes on by itself when it is its turn again. A faster line, or fewer sites at a time, spares the waiting.",
  ERR_CONNECTION_LOST: "Check the network between site and server; the site reconnects by itself.",
  ERR_CONNECTION_REFUSED: "Check address, port and proxy; the server must be running and reachable.",
  ERR_X25519_MISSING:
    "Use Chromium 133, Firefox 130, Safari 17 or newer: this browser has no X25519 in WebCrypto.",
  ERR_CRYPTO_MISSING: "Open the page over https or on localhost: WebCrypto exists only in secure contexts.",
  ERR_CANCELLED: "Nothing to do: the operation was stopped by its caller.",
  ERR_INTERNAL: "Look into the log of the peer at the time of the failure.",
};

/** A fault of frames, the handshake and the encrypted session. */
export class WireError extends PhotinusError<WireErrorCode> {
  /** ms after which another attempt may succeed, where the peer named a time. */
  readonly retryAfterMs: number | undefined;

  /** @param options `retryAfterMs`: what the peer named */
  constructor(
    code: WireErrorCode,
    message: string,
    options: PhotinusErrorOptions & { readonly retryAfterMs?: number | undefined } = {},
  ) {
    super(code, message, options);
    this.retryAfterMs = options.retryAfterMs;
  }
}
