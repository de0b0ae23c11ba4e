import type { Bytes } from "../bytes/index.ts";
import { AuthenticationError } from "../errors/index.ts";

/** The server lets this participant in by a credential for its challenge only. */
export class CredentialRequiredError extends AuthenticationError {
  /** 32 bytes; good for ten minutes and one login. */
  readonly challenge: Bytes;

  constructor(challenge: Bytes) {
    super("ERR_CREDENTIAL_REQUIRED", "the server wants a credential beside the certificate");
    this.challenge = challenge;
  }
}
