import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link PkiError}. */
export type PkiErrorCode =
  | "ERR_CERTIFICATE_MALFORMED"
  | "ERR_CERTIFICATE_UNTRUSTED"
  | "ERR_CERTIFICATE_EXPIRED"
  | "ERR_CERTIFICATE_NOT_YET_VALID"
  | "ERR_CERTIFICATE_PURPOSE"
  | "ERR_CERTIFICATE_NAME"
  | "ERR_CERTIFICATE_SIGNATURE"
  | "ERR_CERTIFICATE_UNSUPPORTED"
  | "ERR_CERTIFICATE_CONSTRAINT"
  | "ERR_REVOKED"
  | "ERR_SERVER_REVOKED"
  | "ERR_SIGNER_REVOKED"
  | "ERR_CRL_MALFORMED"
  | "ERR_CRL_UNSUPPORTED"
  | "ERR_CRL_UNTRUSTED"
  | "ERR_CRL_STALE"
  | "ERR_CRL_MISSING"
  | "ERR_CRL_ROLLBACK"
  | "ERR_REQUEST_MALFORMED"
  | "ERR_KEY_UNREADABLE"
  | "ERR_SIGNER_FAILED"
  | "ERR_INVITE_REFUSED"
  | "ERR_SUSPENDED"
  | "ERR_REQUEST_PENDING"
  | "ERR_REQUEST_DENIED"
  | "ERR_REQUEST_UNKNOWN"
  | "ERR_NAME_TAKEN"
  | "ERR_QUOTA_EXCEEDED";

/** What the codes mean, of certificates, requests, keys and chains. */
export const PKI_ERRORS: Readonly<Record<PkiErrorCode, ErrorHandling>> = {
  ERR_CERTIFICATE_MALFORMED: { action: "reject" },
  ERR_CERTIFICATE_UNTRUSTED: { action: "reject" },
  ERR_CERTIFICATE_EXPIRED: { action: "reject" },
  ERR_CERTIFICATE_NOT_YET_VALID: { action: "reject" },
  ERR_CERTIFICATE_PURPOSE: { action: "reject" },
  ERR_CERTIFICATE_NAME: { action: "reject" },
  ERR_CERTIFICATE_SIGNATURE: { action: "reject" },
  ERR_CERTIFICATE_UNSUPPORTED: { action: "reject" },
  ERR_REVOKED: { wire: 4012, action: "close" },
  ERR_SERVER_REVOKED: { action: "close" },
  ERR_SIGNER_REVOKED: { action: "reject" },
  ERR_CRL_MALFORMED: { action: "reject" },
  ERR_CRL_UNSUPPORTED: { action: "reject" },
  ERR_CRL_UNTRUSTED: { action: "reject" },
  ERR_CRL_STALE: { wire: 4032, action: "reject" },
  ERR_CRL_MISSING: { wire: 4033, action: "reject" },
  ERR_CRL_ROLLBACK: { wire: 4034, action: "reject" },
  ERR_CERTIFICATE_CONSTRAINT: { action: "reject" },
  ERR_REQUEST_MALFORMED: { action: "reject" },
  ERR_SIGNER_FAILED: { action: "stop" },
  ERR_KEY_UNREADABLE: { action: "stop" },
  ERR_INVITE_REFUSED: { wire: 4031, action: "reject" },
  ERR_SUSPENDED: { wire: 4035, action: "close" },
  ERR_REQUEST_PENDING: { wire: 4036, action: "back-off" },
  ERR_REQUEST_DENIED: { wire: 4037, action: "reject" },
  ERR_REQUEST_UNKNOWN: { wire: 4038, action: "reject" },
  ERR_NAME_TAKEN: { wire: 4039, action: "reject" },
  ERR_QUOTA_EXCEEDED: { wire: 4042, action: "reject" },
};

/** What a person does about them. */
export const PKI_REMEDIES: Readonly<Record<PkiErrorCode, string>> = {
  ERR_CERTIFICATE_MALFORMED: "Use a DER certificate as Photinus or openssl issues it.",
  ERR_CERTIFICATE_UNTRUSTED: "Use the kit of this project: the chain does not end at its root.",
  ERR_CERTIFICATE_EXPIRED: "Ask the project's administrator for a new certificate.",
  ERR_CERTIFICATE_NOT_YET_VALID: "Check the clock of this machine, or wait until the certificate is valid.",
  ERR_CERTIFICATE_PURPOSE: "Use the kit that was issued for this role.",
  ERR_CERTIFICATE_NAME: "Use the certificate that was issued for this project, role and name.",
  ERR_CERTIFICATE_SIGNATURE: "Get the certificate again from its issuer: it was altered.",
  ERR_CERTIFICATE_UNSUPPORTED:
    "Issue the certificate with P-256, P-384 or RSA of 2048 bits or more and without the named feature.",
  ERR_REVOKED:
    "Ask the project's administrator why the certificate was revoked, and for a new kit or join link.",
  ERR_SERVER_REVOKED:
    "Tell the project's administrator: the server goes on with a certificate that was revoked.",
  ERR_SIGNER_REVOKED:
    "Have the object signed by somebody whose certificate is valid: its signer was revoked.",
  ERR_CRL_MALFORMED: "Issue the revocation list again: it is not a complete version 2 list in DER.",
  ERR_CRL_UNSUPPORTED: "Issue one complete revocation list: delta, indirect and partial ones are refused.",
  ERR_CRL_UNTRUSTED: "Use the revocation list that the root or the enrolment CA of this project signed.",
  ERR_CRL_STALE:
    "Give the server the project's next revocation list (photinus revoke), and check the clocks.",
  ERR_CRL_MISSING: "Give the server a revocation list of the project's root (photinus revoke).",
  ERR_CRL_ROLLBACK:
    "Use the newest revocation list of the project: an older one, or another of the same number, came.",
  ERR_CERTIFICATE_CONSTRAINT:
    "Use a certificate whose names its issuer may give: a CA of the chain is restricted to others.",
  ERR_REQUEST_MALFORMED: "Make the certificate request again.",
  ERR_SIGNER_FAILED:
    "Run the signer by hand with a file on its standard input: it must print the signature of that key only.",
  ERR_KEY_UNREADABLE: "Check the passphrase and that the key file is whole.",
  ERR_INVITE_REFUSED: "Ask the organizer for a new join link: this one is unknown, used up or expired.",
  ERR_SUSPENDED:
    "Ask the project's administrator why the certificate is suspended: it counts again when that ends.",
  ERR_REQUEST_PENDING:
    "Tell an administrator of the project the fingerprint of your key, and fetch the certificate once he has approved.",
  ERR_REQUEST_DENIED: "Ask the administrator who denied the request, and make a new one with another key.",
  ERR_REQUEST_UNKNOWN:
    "List what waits or is valid again: it was decided, withdrawn or has expired meanwhile.",
  ERR_NAME_TAKEN: "Choose another name; a further device of a participant joins by an invite for that name.",
  ERR_QUOTA_EXCEEDED: "Withdraw what is not needed any more, or wait until some of it has expired.",
};

/** A fault of certificates, requests, keys and chains. */
export class PkiError extends PhotinusError<PkiErrorCode> {}
