import type { Role } from "../pki/index.ts";

/** Somebody who acts: by a certificate, or by a sign-in on the dashboard. */
export interface ActorFacts {
  /** Name. */
  readonly name: string;
  /** Role. */
  readonly role: Role;
  /** Organization. */
  readonly org: string;
}

/** A participant, from its certificate. */
export interface ParticipantFacts extends ActorFacts {
  /** SHA-256 of the certificate, lower-case hex: public, as the certificate is. */
  readonly certificate: string;
}

/** A job as its submitter signed it, without what it trains on or with. */
export interface JobFacts {
  /** Id: 32 hexadecimal digits. */
  readonly jobId: string;
  /** Title for people. */
  readonly name: string;
  /** What it is for, in words. */
  readonly purpose: string;
  /** Who signed it. */
  readonly submitter: ParticipantFacts;
  /** Data set that it asks for. */
  readonly dataName: string;
  /** Scope that it asks for; absent: the default scope of each site. */
  readonly scope?: string;
  /** Name of its workflow. */
  readonly workflow: string;
  /** Rounds. */
  readonly rounds: number;
  /** Fewest sites of a round. */
  readonly minimumSites: number;
  /** Bytes of the model's parameters. */
  readonly modelBytes: number;
}

/** A tensor without its values. */
export interface TensorFacts {
  /** Name in the parameter table. */
  readonly name: string;
  /** Type of its numbers. */
  readonly dtype: string;
  /** Lengths of its axes. */
  readonly shape: readonly number[];
}

/** A task of a job at a site. */
export interface TaskFacts {
  /** The job. */
  readonly job: JobFacts;
  /** Name of the site. */
  readonly site: string;
  /** Id: 32 hexadecimal digits. */
  readonly taskId: string;
  /** What is asked for. */
  readonly kind: "train" | "evaluate";
  /** Round, from 1. */
  readonly round: number;
  /** Version of the model. */
  readonly version: number;
}

/** The model that a task brings. */
export interface TaskDataFacts extends TaskFacts {
  /** Its tensors, names and shapes only. */
  readonly tensors: readonly TensorFacts[];
}

/** What a site answers to a task. */
export interface TaskResultFacts extends TaskFacts {
  /** Tensors of the update, names and shapes only; none of an evaluation. */
  readonly tensors: readonly TensorFacts[];
  /** L2 norm of the update, at the server as the site declared it; 0 of an evaluation. */
  readonly norm: number;
  /** Examples that the update rests on; 0 of an evaluation. */
  readonly exampleCount: number;
  /** True when losses or evaluations go with it. */
  readonly tellsMetrics: boolean;
}
