import type { ErrorCode } from "../errors/index.ts";
import type { Evaluation, JobDefinition } from "../job/index.ts";

/** A model version that is stored and can be sent. */
export interface ModelVersion {
  /** 0 for the model as submitted, else the round that made it. */
  readonly version: number;
  /** Name of the checkpoint: SHA-256 of its ciphertext, hex. */
  readonly checkpoint: string;
  /** Name of the checkpoint of what the server keeps beside it, such as the moments of its optimizer. Default: nothing. */
  readonly state?: string;
}

/** What sites are asked to do with a model version. */
export interface TaskOrder {
  /** What to do with the model. */
  readonly kind: "train" | "evaluate";
  /** 1, 2, 3, ...; the round that a last evaluation follows for `evaluate`. */
  readonly round: number;
  /** The version to start from. */
  readonly model: ModelVersion;
  /** Fewest accepted contributions that make a version, whoever they are of. Default: the job's minimum, its mandatory sites among them. */
  readonly minimumContributions?: number;
  /**
   * For `evaluate`: what each site measures is shown, of the model of the site of this name, or of the job's own where it is
   * empty. Default: only the mean is, of the job's own.
   */
  readonly subject?: string;
}

/** A task that was given to sites. */
export interface Dispatch {
  /** 16 bytes in hex; the same for every site. */
  readonly taskId: string;
  /** What they were asked. */
  readonly order: TaskOrder;
  /** Names of the sites that were asked, sorted. */
  readonly sites: readonly string[];
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
}

/** How one asked site ended. */
export interface TaskOutcome {
  /** Name of the site. */
  readonly site: string;
  /** How it ended. */
  readonly outcome: "accepted" | "refused" | "late" | "missing";
  /** Exactly one cause, unless accepted. */
  readonly cause: ErrorCode | "";
  /** Examples trained on; 0 when nothing was accepted, and for `evaluate`. */
  readonly exampleCount: number;
  /** Mean local training loss; 0 when unknown. */
  readonly trainingLoss: number;
  /** L2 norm of the accepted update; 0 when there is none. */
  readonly norm: number;
  /** Root of the accepted update's stream in hex; empty when there is none. */
  readonly digest: string;
  /** The received model on the site's held-out examples, when it has some. */
  readonly evaluation?: Evaluation;
  /** From task sent to answer verified. */
  readonly milliseconds: number;
}

/** What came of a dispatched task. */
export interface Collected {
  /**
   * The sent model moved by the mean of the accepted updates, stored durably; absent when fewer than the job's minimum
   * were accepted, and for `evaluate`.
   */
  readonly model?: ModelVersion;
  /** Every asked site once: the accepted ones in commit order, then the others by name. */
  readonly outcomes: readonly TaskOutcome[];
  /** Mean of the sites' evaluations of the sent model, weighted by examples; absent when no site has any. */
  readonly evaluation?: Evaluation;
  /** Milliseconds since 1970; absent until the end. */
  readonly endedAtMs: number;
}

/**
 * What a workflow may do. Every call has a number; its outcome is recorded before it returns, and after a restart the
 * function runs again from the top and receives the recorded outcomes. So a workflow reads time, randomness and
 * input from here only and makes the same calls in the same order.
 */
export interface WorkflowContext {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** What the job is. */
  readonly definition: JobDefinition;
  /** The model as submitted. */
  readonly initialModel: ModelVersion;
  /**
   * Gives a task to every ready site.
   * @throws JobError `ERR_JOB_TOO_FEW_SITES` when fewer than the job's minimum were ready for `waitForSitesMs`
   */
  broadcast(order: TaskOrder): Promise<Dispatch>;
  /**
   * Names of the sites that are ready for a task, sorted.
   * @throws JobError `ERR_JOB_TOO_FEW_SITES` when fewer than the job's minimum were ready for `waitForSitesMs`
   */
  readySites(): Promise<readonly string[]>;
  /** Gives a task to the named sites; those not ready are missing. */
  send(order: TaskOrder, sites: readonly string[]): Promise<Dispatch>;
  /**
   * Waits until every asked site answered or the deadline passed, averages what was accepted, as it arrives, and stores
   * the model that follows from it.
   */
  aggregate(dispatch: Dispatch): Promise<Collected>;
  /** Makes the aggregated model the job's newest version, publishes it and tells its sites COMMITTED. */
  checkpoint(dispatch: Dispatch, collected: Collected): Promise<ModelVersion>;
  /** Deletes a model that {@link aggregate} made and that no version became. */
  discard(model: ModelVersion): Promise<void>;
  /** Resolves `milliseconds` later; time that passed while the server was down counts. */
  sleep(milliseconds: number): Promise<void>;
  /** `length` random bytes in hex, 1 to 64 of them. */
  random(length: number): Promise<string>;
  /** One line of the job's log: at most 1 000 characters. */
  log(line: string): Promise<void>;
}

/** One way to run a job: FLARE's controller. */
export interface Workflow {
  /** The name that job definitions give. */
  readonly name: string;
  /** Raised whenever the order of context calls changes: a running job of another version ends with a reason. */
  readonly version: number;
  /** Runs one job to its end; a fault that it throws fails the job. */
  readonly run: (context: WorkflowContext) => Promise<void>;
}

/** Workflows by name; built by the program that starts. */
export type WorkflowRegistry = ReadonlyMap<string, Workflow>;
