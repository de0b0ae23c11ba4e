/** Kinds of OBJECT (protocol section 4) by their number on the wire; never reused. */
export const OBJECT_TYPES = {
  /** A job: signed by its submitter, audience "all". */
  job: 1,
  /** A sealed blob: signed by the server, audience "all". */
  publication: 2,
  /** A public key for content sealed end to end: signed by its owner, audience "all". */
  keyPackage: 3,
} as const;
