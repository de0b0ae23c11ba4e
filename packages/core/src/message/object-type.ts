/** Kinds of OBJECT (protocol section 4) by their number on the wire; never reused. */
export const OBJECT_TYPES = {
  /** A job: signed by its submitter, audience "all". */
  job: 1,
  /** A sealed blob: signed by the server, audience "all". */
  publication: 2,
  /** A public key for content sealed end to end: signed by its owner, audience "all". */
  keyPackage: 3,
  /** A permission to enrol: signed by an administrator, or by a site for a further device of its own; for the server. */
  invite: 20,
  /** The end of an invite: signed by an administrator, for the server. */
  inviteWithdrawal: 21,
  /** What becomes of a request for a certificate: signed by an administrator, for the server. */
  requestDecision: 22,
  /** A certificate counts no more for a while: signed by an administrator of the project, audience "all". */
  suspension: 23,
  /** It counts again: signed likewise. */
  resumption: 24,
  /** A certificate of the enrolment CA is revoked: signed by an administrator, for the server. */
  certificateRevocation: 25,
  /** The end of a job: signed by a user, audience "all"; the server relays it to the sites of the job. */
  jobAbort: 81,
  /** A job that has ended is deleted: signed by a user, for the server. */
  jobDeletion: 82,
  /** Where an audit chain stands: signed by the server or the site that keeps it, audience "all". */
  auditHead: 85,
} as const;
