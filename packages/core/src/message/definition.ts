import type { Role } from "../pki/index.ts";

/** One kind of message. Its type id is an integer that is never reused; class names never travel. */
export interface MessageDefinition<Body> {
  /** Integer on the wire, 1 to 65 535, unique in message/catalogue.ts. */
  readonly type: number;
  /** Name in logs, metrics and documentation. */
  readonly name: string;
  /** True: travels as SIGNED (author and time provable). False: as MESSAGE (authenticated by the session only). */
  readonly signed: boolean;
  /** Roles that may send it. Anything else is refused before the body is looked at. */
  readonly from: readonly Role[];
  /**
   * The body as its schema proves it.
   * @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field
   */
  readonly parse: (value: unknown) => Body;
}
