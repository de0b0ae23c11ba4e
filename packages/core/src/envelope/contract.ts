import type { Bytes } from "../bytes/index.ts";
import type { Participant } from "../pki/index.ts";

/** A session-free signed object (protocol section 4) after all checks of its receiver. */
export interface VerifiedObject {
  /** Integer of the kind of object; never reused. */
  readonly objectType: number;
  /** Who signed, from the certificate. */
  readonly signer: Participant;
  /** Names it is meant for: a participant, or "all". */
  readonly audience: string;
  /** 16 bytes, unique. */
  readonly objectId: Bytes;
  /** Counter of the signer, for kinds where a later object replaces an earlier. */
  readonly counter: number | undefined;
  /** The signer's time, milliseconds since 1970. */
  readonly issuedAt: number;
  /** Milliseconds since 1970; later it is refused. */
  readonly expiresAt: number;
  /** Job or round that it belongs to. */
  readonly scope: string | undefined;
  /** The payload, encoded by the decomposers; parsed by the object's own schema. */
  readonly payload: Bytes;
  /** SHA-256 of the payload: what the signature binds. */
  readonly payloadDigest: Bytes;
  /** The object as received; can be stored and verified again. */
  readonly bytes: Bytes;
}
