/** What may accompany an error: the local cause (never sent over the wire). */
export interface PhotinusErrorOptions {
  /** The error that led to this one. Kept for local logs; it never crosses the wire. */
  readonly cause?: unknown;
}

/**
 * Base of every error that Photinus throws for a peer's, file's or environment's fault.
 * A misuse of the API by our own caller is a `TypeError` or `RangeError` instead.
 */
export abstract class PhotinusError<Code extends string = string> extends Error {
  /** Stable for ever; `describeError` tells its class, action and remedy. */
  readonly code: Code;

  /**
   * @param code stable code of the area
   * @param message what was expected, what came, of whom; never a secret, key or payload
   */
  constructor(code: Code, message: string, options: PhotinusErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
  }
}
