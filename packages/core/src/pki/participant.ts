import type { Bytes } from "../bytes/index.ts";

/**
 * What a certificate holder may be. Users carry one of the four roles from project_admin to member; an adapter is a program
 * between the federation and a system of others.
 */
export type Role = "server" | "site" | "adapter" | "project_admin" | "org_admin" | "lead" | "member";

/** A certificate holder, as its verified certificate says (never as a message says). */
export interface Participant {
  /** Name of the project. */
  readonly project: string;
  /** Common name: a site or server name, or a user's lower-case e-mail. */
  readonly name: string;
  /** Name of the organization. */
  readonly org: string;
  /** Role of the holder. */
  readonly role: Role;
  /** SHA-256 of the leaf certificate's DER: 32 bytes. */
  readonly leafDigest: Bytes;
  /** DER certificates, leaf first, the root left out. */
  readonly chain: readonly Bytes[];
  /** True: admitted only over TLS to which it presented this certificate. */
  readonly mutualTls: boolean;
}
