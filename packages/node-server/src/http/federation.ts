import type { Bytes } from "@photinus/core/bytes";
import type { JobSummary, ObserveOptions } from "@photinus/core/coordinator";
import type { Observation } from "@photinus/core/message";
import type { Connection } from "@photinus/core/platform";
import type { SignedInUser } from "../sign-in/user-sessions.ts";

/** A sealed blob that the server published: immutable ciphertext. */
export interface PublishedBlob {
  /** Bytes of ciphertext. */
  readonly size: number;
  /** The ciphertext in order, in parts. */
  read(): AsyncIterable<Bytes> | Iterable<Bytes>;
}

/** What the line below a connection proved of its peer. */
export interface TransportPeer {
  /** The certificate, DER, that the peer presented to TLS and whose key it holds; `undefined` without one. */
  readonly tlsLeaf: Bytes | undefined;
  /** The certificate, DER, that a trusted proxy says to have seen; proves nothing. `undefined` without one. */
  readonly forwardedLeaf: Bytes | undefined;
}

/** How a job is watched. */
export interface WatchOptions extends Omit<ObserveOptions, "by"> {
  /** Who signed in here, if the policy shows the job; absent: a token, which is good for it. */
  readonly user?: SignedInUser | undefined;
}

/** A connection that was handed over. */
export interface AcceptedConnection {
  /** Resolves when the peer has proved who it is, rejects when it has not. */
  readonly authenticated: Promise<unknown>;
}

/** What the HTTP host serves: the side of the coordinator that faces the network. */
export interface Federation {
  /** Jobs, newest last. @param user who signed in here, and sees those that the policy shows; absent: a token, all */
  jobs(user?: SignedInUser): readonly JobSummary[] | Promise<readonly JobSummary[]>;
  /**
   * Observations of a job. The iterable ends with the job or the signal.
   * @throws JobError `ERR_JOB_UNKNOWN`, AuthorizationError `ERR_FORBIDDEN`, before the first observation
   */
  observe(jobId: string, options: WatchOptions): AsyncIterable<Observation>;
  /** @param digest root of the blob in lower-case hex. @returns `undefined` unless exactly this was published */
  publishedBlob(digest: string): PublishedBlob | undefined | Promise<PublishedBlob | undefined>;
  /**
   * Ends a job for good, for a user who signed in here.
   * @throws JobError `ERR_JOB_UNKNOWN`, AuthorizationError `ERR_FORBIDDEN`
   */
  abort(jobId: string, user: SignedInUser): Promise<void>;
  /** Takes over a connection that nobody has authenticated yet. */
  accept(connection: Connection, peer: TransportPeer): AcceptedConnection;
  /** Ends all sessions in order: each peer is told `ERR_GOING_AWAY`. Idempotent. */
  drain(): Promise<void>;
  /** True while new sessions and jobs are taken. */
  isReady(): boolean;
}
