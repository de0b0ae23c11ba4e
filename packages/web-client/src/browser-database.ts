import type { Bytes } from "@photinus/core/bytes";
import type { RevocationRecord } from "@photinus/core/pki";
import type { SigningKey } from "@photinus/core/platform";
import type { DBSchema } from "idb";

/** Who this browser is in one project, as it is kept between visits. */
export interface StoredIdentity {
  /** Project; one identity per project and root. */
  readonly project: string;
  /** SHA-256 of the project's root certificate in lower-case hex. */
  readonly rootFingerprint: string;
  /** Root certificate, DER. */
  readonly root: Bytes;
  /** Name that the server's certificate must carry. */
  readonly serverName: string;
  /** Own certificates, DER, leaf first; empty while the enrolment is under way. */
  readonly chain: readonly Bytes[];
  /** Private key of the leaf: not extractable, so that even a script on this page cannot copy it. */
  readonly signingKey: SigningKey;
  /** When it was saved, milliseconds since 1970. */
  readonly savedAtMs: number;
}

/** Agreement to one job, as it was shown. */
export interface StoredConsent {
  /** The job that was consented to: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Name of the project. */
  readonly project: string;
  /** SHA-256 of what the submitter had signed, lower-case hex: another job under the same id is not agreed to. */
  readonly digest: string;
  /** Name of the submitter that was shown. */
  readonly submitter: string;
  /** Version of the text that was shown. */
  readonly textVersion: string;
  /** Milliseconds since 1970. */
  readonly agreedAtMs: number;
}

/** The newest revocation list of one issuer, of one project under one root. */
interface StoredList extends RevocationRecord {
  readonly project: string;
  readonly rootFingerprint: string;
}

/** A record of what this browser has seen, of one project under one root. */
interface StoredObject {
  readonly project: string;
  readonly rootFingerprint: string;
  readonly name: string;
  readonly value: Bytes;
}

/** The tables of this origin in IndexedDB. */
export interface BrowserDatabase extends DBSchema {
  /** By project and root. */
  identities: { key: [string, string]; value: StoredIdentity };
  /** By project and job. */
  consents: { key: [string, string]; value: StoredConsent };
  /** By project, root and name. */
  revocations: { key: [string, string, string]; value: StoredList };
  /** By project, root and name. */
  objects: { key: [string, string, string]; value: StoredObject };
}
