import type { Awaitable } from "../platform/index.ts";
import type {
  ActorFacts,
  JobFacts,
  ParticipantFacts,
  TaskDataFacts,
  TaskFacts,
  TaskResultFacts,
} from "./facts.ts";

/** What may be refused, and what a plug-in is told of it. Where each is asked: docs/guide/plugins.md. */
export interface VetoFacts {
  /** A participant has proved its certificate: a client at the server, the server at a site. FLARE: BEFORE_CLIENT_REGISTER, CLIENT_REGISTER_RECEIVED. */
  readonly login: {
    /** Who. */
    readonly peer: ParticipantFacts;
  };
  /** A user hands a job in. FLARE: SUBMIT_JOB. */
  readonly submission: {
    /** What. */
    readonly job: JobFacts;
  };
  /** A job is about to be given to a site, or taken by it. FLARE: DEPLOY_JOB_TO_CLIENT. */
  readonly deployment: {
    /** What. */
    readonly job: JobFacts;
    /** To whom. */
    readonly site: string;
  };
  /** A user, whom the policy allows it, orders something. FLARE: AUTHORIZE_COMMAND_CHECK. */
  readonly command: {
    /** Who. */
    readonly actor: ActorFacts;
    /** What: a right to a job, or the kind of an administrator's order. */
    readonly command: string;
    /** To what: the id of a job, or what the order names. */
    readonly object: string;
  };
  /** A site is about to be asked, or is asked, whether it has what a job needs. FLARE: BEFORE_CHECK_CLIENT_RESOURCES, BEFORE_CHECK_RESOURCE_MANAGER. */
  readonly resourceCheck: {
    /** Id of the job, which may not have come to the site yet. */
    readonly jobId: string;
    /** Which site. */
    readonly site: string;
    /** GPUs. */
    readonly gpus: number;
    /** Memory of each, GiB; 0: no matter. */
    readonly gpuMemoryGiB: number;
    /** Units by name. */
    readonly units: Readonly<Record<string, number>>;
  };
  /** A model is about to leave the server for a site, or to be trained there. FLARE: BEFORE_TASK_DATA_FILTER. */
  readonly taskData: TaskDataFacts;
  /** A result is about to leave a site, or to be taken by the server. FLARE: BEFORE_TASK_RESULT_FILTER, BEFORE_CONTRIBUTION_ACCEPT. */
  readonly taskResult: TaskResultFacts;
}

/** Something that may be refused. */
export type VetoHook = keyof VetoFacts;

/** What has happened, and what a plug-in is told of it. Which host tells what: docs/guide/plugins.md. */
export interface PluginEvents {
  /** The host program works. FLARE: SYSTEM_START. */
  readonly started: Readonly<Record<string, never>>;
  /** It stops. FLARE: SYSTEM_END. */
  readonly stopped: Readonly<Record<string, never>>;
  /** A session begins: of a client at the server, of the server at a site. FLARE: CLIENT_REGISTER_PROCESSED, AFTER_CLIENT_REGISTER. */
  readonly connected: {
    /** The other side. */
    readonly peer: ParticipantFacts;
  };
  /** It has ended. FLARE: CLIENT_DISCONNECTED. */
  readonly disconnected: {
    /** The other side. */
    readonly peer: ParticipantFacts;
    /** Why: a code of the error registry. */
    readonly code: string;
  };
  /** A job is durable and waits for its turn. FLARE: SUBMIT_JOB. */
  readonly jobSubmitted: {
    /** What. */
    readonly job: JobFacts;
  };
  /** A job was given to a site. FLARE: JOB_DEPLOYED. */
  readonly jobDeployed: {
    /** What. */
    readonly job: JobFacts;
    /** To whom. */
    readonly site: string;
  };
  /** A site takes part, or does not. FLARE: none. */
  readonly jobDecided: {
    /** What. */
    readonly job: JobFacts;
    /** Which site. */
    readonly site: string;
    /** True when it takes part. */
    readonly accepts: boolean;
    /** Why not; empty otherwise. */
    readonly reason: string;
  };
  /** The first task of a job goes out. FLARE: JOB_STARTED, START_RUN. */
  readonly jobStarted: {
    /** What. */
    readonly job: JobFacts;
  };
  /** A job is over. FLARE: JOB_COMPLETED, JOB_ABORTED, JOB_CANCELLED, END_RUN. */
  readonly jobEnded: {
    /** What. */
    readonly job: JobFacts;
    /** How: at the server an outcome such as "completed"; at a site "ended", which is all that it is told. */
    readonly outcome: string;
  };
  /** A round begins. FLARE: ROUND_STARTED. */
  readonly roundStarted: {
    /** What. */
    readonly job: JobFacts;
    /** From 1. */
    readonly round: number;
    /** Sites that are asked. */
    readonly sites: readonly string[];
  };
  /** Its model is durable. FLARE: AFTER_AGGREGATION, GLOBAL_WEIGHTS_UPDATED. */
  readonly roundEnded: {
    /** What. */
    readonly job: JobFacts;
    /** From 1. */
    readonly round: number;
    /** Contributions that counted. */
    readonly accepted: number;
  };
  /** A version is the best so far. FLARE: GLOBAL_BEST_MODEL_AVAILABLE. */
  readonly bestModel: {
    /** What. */
    readonly job: JobFacts;
    /** Its version. */
    readonly version: number;
  };
  /** A task has gone out, or has come. FLARE: TASK_ASSIGNMENT_SENT, AFTER_PULL_TASK. */
  readonly task: TaskFacts;
  /** A site has answered a task and it counts or not, at the server. FLARE: AFTER_CONTRIBUTION_ACCEPT, TASK_RESULT_RECEIVED. */
  readonly taskAnswered: TaskFacts & {
    /** accepted, refused, late or missing. */
    readonly outcome: string;
    /** Code of why not; empty when it counts. */
    readonly cause: string;
  };
  /** A result leaves a site. FLARE: AFTER_SEND_TASK_RESULT. */
  readonly resultSent: TaskResultFacts;
  /** A plug-in has refused something. FLARE: none. */
  readonly refused: {
    /** Which. */
    readonly plugin: string;
    /** What. */
    readonly hook: VetoHook;
    /** Its reason. */
    readonly reason: string;
  };
}

/** Something that happens. */
export type PluginEvent = keyof PluginEvents;

/** The word of a veto handler. Anything else is a refusal: FLARE takes silence for consent. */
export type PluginVerdict =
  | { readonly allowed: true }
  | {
      readonly allowed: false;
      /** For the people whom it concerns; at most 300 characters of it are told. */
      readonly reason: string;
    };

/** Handlers of what happens. */
export type EventHandlers = {
  readonly [Event in PluginEvent]?: (facts: PluginEvents[Event]) => unknown;
};

/** Handlers of what may be refused. */
export type VetoHandlers = {
  readonly [Hook in VetoHook]?: (facts: VetoFacts[Hook], signal: AbortSignal) => Awaitable<PluginVerdict>;
};

/**
 * Code of the host's owner beside Photinus. It gets a frozen copy of facts: texts, numbers, lists of them; never a key, a
 * token, an address or a tensor.
 */
export interface Plugin {
  /** In audit records and refusals: lower-case letters, digits, dots and hyphens, at most 63. */
  readonly name: string;
  /** Longest that one of its veto handlers may take, ms; at most 600 000. Default 5 000. */
  readonly timeLimitMs?: number;
  /** Told of what happened. Nobody waits for them, and what they throw is logged and counted. */
  readonly on?: EventHandlers;
  /**
   * Asked before something happens. It happens only when each plug-in allows it: whatever is thrown, rejected, answered
   * otherwise or not in time refuses. `signal` is aborted when nobody waits for the answer any more.
   */
  readonly veto?: VetoHandlers;
}
