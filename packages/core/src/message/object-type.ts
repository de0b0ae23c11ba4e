/** Kinds of OBJECT (protocol section 4) by their number on the wire; never reused. */
export const OBJECT_TYPES = {
  /** A job: signed by its submitter, audience "all". */
  job: 1,
  /** A sealed blob: signed by the server, audience "all". */
  publication: 2,
} as const;
