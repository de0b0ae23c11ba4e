import type { Bytes } from "../bytes/index.ts";
import type { JobChanges } from "../job/index.ts";
import type { MetricsView, RoundView } from "../message/index.ts";
import type { Identity, RevocationLists } from "../pki/index.ts";
import type { Clock, Connector, CryptoProvider, Logger } from "../platform/index.ts";
import type { CredentialSource } from "../session/index.ts";
import type { ParameterSet } from "../tensor/index.ts";

/** What a console takes of a person's kit: `openKit` gives more. */
export interface ConsoleKit {
  /** Certificate and key of the user. */
  readonly identity: Identity;
  /** Root certificate of the project. */
  readonly root: {
    /** DER. */
    readonly der: Bytes;
  };
  /** What the kit says of the project. */
  readonly configuration: {
    /** Its name. */
    readonly project: string;
    /** Its server. */
    readonly server: {
      /** Name that the server's certificate must carry. */
      readonly name: string;
    };
  };
}

/** Who connects, and over what. */
export interface ConnectOptions {
  /** The opened kit of a person. */
  readonly kit: ConsoleKit;
  /** The way to the server, and what else the runtime gives: `nodeTransport`, `pageTransport`. */
  readonly transport: ConsoleTransport;
  /** What is known about revoked and suspended certificates, where it is kept. Default: what this server brings. */
  readonly revocations?: RevocationLists;
  /** Gives up connecting. */
  readonly signal?: AbortSignal;
}

/** What a console works with. */
export interface ConsoleTransport {
  /** Opens connections to the server. */
  readonly connector: Connector;
  /** Time. */
  readonly clock: Clock;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Default: silent. */
  readonly logger?: Logger;
  /** Where a credential comes from that the server wants beside the certificate. Default: nowhere. */
  readonly credentials?: CredentialSource;
}

/** Options of a submit. */
export interface SubmitOptions {
  /** Makes a retried submit safe: the same user's same token is the same job. At most 128 characters. */
  readonly submitToken?: string;
  /** Stops the work when it is aborted. */
  readonly signal?: AbortSignal;
}

/** Options of `JobHandle.clone`. */
export interface CloneOptions extends SubmitOptions {
  /** What the clone has in place of what the job has. Default: nothing. */
  readonly changes?: JobChanges;
}

/** Options of `Federation.jobs`. */
export interface JobsOptions {
  /** So many of the newest, at most. Default: 10 000. */
  readonly most?: number;
  /** Of this study alone. Default: of all that the user is in. */
  readonly study?: string;
  /** Gives up waiting for the answer. */
  readonly signal?: AbortSignal;
}

/** A finished round. */
export interface FinishedRound {
  /** 1, 2, 3, ... */
  readonly number: number;
  /** The version that the round made, measured by the sites; absent when none has held-out examples. */
  readonly metrics: MetricsView | undefined;
  /** The round as people see it. */
  readonly view: RoundView;
}

/** What a job yields. */
export interface JobResult {
  /** The round that made it; 0 for the model as submitted. */
  readonly version: number;
  /** The newest parameters, in table order. */
  readonly model: ParameterSet;
}

/** Options of `JobHandle.abort`. */
export interface AbortOptions {
  /** Why, for people: at most 200 characters. Default empty. */
  readonly reason?: string;
  /** Gives up waiting for the answer. */
  readonly signal?: AbortSignal;
}
