import type { SigningKey } from "../platform/index.ts";
import type { Participant } from "./participant.ts";

/** Who a process is: its certificate, as verified, and the key that belongs to it. */
export interface Identity {
  /** What the own certificate says. */
  readonly participant: Participant;
  /** Private key of the leaf certificate. */
  readonly signingKey: SigningKey;
}
