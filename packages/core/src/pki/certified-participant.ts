import { type Bytes, packBytes, unpackBytes } from "../bytes/index.ts";
import type { Certificate } from "./certificate.ts";
import type { Participant, Role } from "./participant.ts";

/** What a {@link CertifiedParticipant} is besides what stands in its certificates as it is. */
export interface CertifiedName {
  /** Name of the project. */
  readonly project: string;
  /** Common name. */
  readonly name: string;
  /** Name of the organization. */
  readonly org: string;
  /** Role of the holder. */
  readonly role: Role;
}

/**
 * A participant as its verified chain says. A server keeps one for each session and rarely needs the bytes: the leaf and
 * its digest are strings, 0.6 KiB instead of 1.2, of which half would lie outside of V8's heap, between what handshakes
 * leave. The certificates of CAs are the same for thousands, and kept as they are.
 */
export class CertifiedParticipant implements Participant {
  readonly project: string;
  readonly name: string;
  readonly org: string;
  readonly role: Role;
  readonly mutualTls: boolean;
  readonly #leaf: string;
  readonly #leafDigest: string;
  readonly #authorities: readonly Bytes[];

  constructor({ project, name, org, role }: CertifiedName, leaf: Certificate, authorities: readonly Bytes[]) {
    this.project = project;
    this.name = name;
    this.org = org;
    this.role = role;
    this.mutualTls = leaf.extensions.mutualTls;
    this.#leaf = packBytes(leaf.der);
    this.#leafDigest = packBytes(leaf.digest);
    this.#authorities = authorities;
  }

  get leafDigest(): Bytes {
    return unpackBytes(this.#leafDigest);
  }

  get chain(): readonly Bytes[] {
    return [unpackBytes(this.#leaf), ...this.#authorities];
  }
}

/** The same as a plain object: of those few whose bytes are asked for with each message, such as one's own. */
export function plainParticipant(participant: Participant): Participant {
  const { project, name, org, role, leafDigest, chain, mutualTls } = participant;
  return { project, name, org, role, leafDigest, chain, mutualTls };
}
