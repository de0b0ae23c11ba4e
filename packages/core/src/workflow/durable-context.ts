import * as v from "valibot";
import { JobError, type JobErrorCode } from "../errors/index.ts";
import type { JobDefinition } from "../job/index.ts";
import type { Journal, JournalEntry, JournalOutcome } from "./journal.ts";
import { collectedSchema, dispatchSchema, modelVersionSchema, siteNamesSchema } from "./outcome-schema.ts";
import type { Collected, Dispatch, ModelVersion, TaskOrder, Workflow, WorkflowContext } from "./workflow.ts";

/** What really happens behind a context call; the coordinator's part. Each ends early when the job is stopped. */
export interface WorkflowEffects {
  /** See {@link WorkflowContext}. */
  broadcast(order: TaskOrder): Promise<Dispatch>;
  /** See {@link WorkflowContext}. */
  readySites(): Promise<readonly string[]>;
  /** See {@link WorkflowContext}. */
  send(order: TaskOrder, sites: readonly string[]): Promise<Dispatch>;
  /** A dispatch has just been recorded: its tasks may go out. Not called again after a restart. */
  dispatched(dispatch: Dispatch): void;
  /** See {@link WorkflowContext}. */
  aggregate(dispatch: Dispatch): Promise<Collected>;
  /** See {@link WorkflowContext}. */
  checkpoint(dispatch: Dispatch, collected: Collected): Promise<ModelVersion>;
  /** See {@link WorkflowContext}. */
  discard(model: ModelVersion): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Resolves when the clock reaches `atMs`. */
  sleepUntil(atMs: number): Promise<void>;
  /** `length` random bytes in hex. */
  random(length: number): string;
  /** See {@link WorkflowContext}. */
  log(line: string): void;
}

/** The job that a workflow runs. */
export interface WorkflowJob {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** What the job is. */
  readonly definition: JobDefinition;
  /** The model as submitted. */
  readonly initialModel: ModelVersion;
}

/**
 * Runs `workflow` from the top: recorded calls return what was recorded, the first one that was not takes effect.
 *
 * @throws JobError `ERR_WORKFLOW_CHANGED` when the journal is of another version or of other calls
 */
export async function runWorkflow(
  workflow: Workflow,
  job: WorkflowJob,
  { effects, journal }: { readonly effects: WorkflowEffects; readonly journal: Journal },
): Promise<void> {
  const calls = new RecordedCalls(await journal.load(), journal);
  await calls.start(workflow);
  await workflow.run(durableContext(job, effects, calls));
}

function durableContext(job: WorkflowJob, effects: WorkflowEffects, calls: RecordedCalls): WorkflowContext {
  const dispatch = async (
    call: string,
    input: readonly unknown[],
    effect: () => Promise<Dispatch>,
  ): Promise<Dispatch> => {
    let isLive = false;
    const made = await calls.call(call, input, dispatchSchema, () => {
      isLive = true;
      return effect();
    });
    if (isLive) effects.dispatched(made);
    return made;
  };
  return {
    ...job,
    broadcast: (order) => dispatch("broadcast", [order], () => effects.broadcast(order)),
    readySites: () => calls.call("ready-sites", [], siteNamesSchema, () => effects.readySites()),
    send: (order, sites) => dispatch("send", [order, sites], () => effects.send(order, sites)),
    aggregate: (dispatch) =>
      calls.call("aggregate", [dispatch.taskId], collectedSchema, () => effects.aggregate(dispatch)),
    checkpoint: (dispatch, collected) =>
      calls.call("checkpoint", [dispatch.taskId], modelVersionSchema, () =>
        effects.checkpoint(dispatch, collected),
      ),
    async discard(model) {
      await calls.call("discard", [model], v.null(), async () => {
        await effects.discard(model);
        return null;
      });
    },
    async sleep(milliseconds) {
      // The time to wake is what is recorded: a restart waits for what is left of it.
      const wakeAtMs = await calls.call("sleep", [milliseconds], v.number(), () =>
        Promise.resolve(effects.now() + milliseconds),
      );
      await effects.sleepUntil(wakeAtMs);
    },
    random(length) {
      if (!Number.isSafeInteger(length) || length < 1 || length > 64) throw new RangeError("1 to 64 bytes");
      return calls.call("random", [length], v.string(), () => Promise.resolve(effects.random(length)));
    },
    async log(line) {
      await calls.call("log", [line.slice(0, 1000)], v.null(), () => {
        effects.log(line.slice(0, 1000));
        return Promise.resolve(null);
      });
    },
  };
}

/** Numbers the calls of one run and answers them from the journal, or from their effect and then records it. */
class RecordedCalls {
  readonly #recorded: ReadonlyMap<number, JournalEntry>;
  readonly #journal: Journal;
  #number = 0;

  constructor(recorded: ReadonlyMap<number, JournalEntry>, journal: Journal) {
    this.#recorded = recorded;
    this.#journal = journal;
  }

  /** Entry 0: the workflow and its version. */
  async start({ name, version }: Workflow): Promise<void> {
    const entry: JournalEntry = {
      call: "start",
      input: [name, version],
      outcome: { kind: "returned", value: null },
    };
    const recorded = this.#recorded.get(0);
    if (recorded === undefined) await this.#journal.append(0, entry);
    else requireSame(recorded, entry, 0);
  }

  async call<T>(
    call: string,
    input: readonly unknown[],
    schema: v.GenericSchema<unknown, T>,
    effect: () => Promise<T>,
  ): Promise<T> {
    this.#number += 1;
    const number = this.#number;
    const recorded = this.#recorded.get(number);
    if (recorded !== undefined) {
      requireSame(recorded, { call, input }, number);
      return replay(recorded.outcome, schema, number);
    }
    const outcome = await outcomeOf(effect);
    await this.#journal.append(number, { call, input, outcome });
    return replay(outcome, schema, number);
  }
}

/** A JobError is an outcome that the workflow may act on. Anything else (a stop, storage) leaves the call open. */
async function outcomeOf(effect: () => Promise<unknown>): Promise<JournalOutcome> {
  try {
    return { kind: "returned", value: await effect() };
  } catch (error) {
    if (!(error instanceof JobError)) throw error;
    return { kind: "threw", code: error.code, message: error.message };
  }
}

function replay<T>(outcome: JournalOutcome, schema: v.GenericSchema<unknown, T>, number: number): T {
  if (outcome.kind === "threw") throw new JobError(outcome.code as JobErrorCode, outcome.message); // written from a JobError
  const parsed = v.safeParse(schema, outcome.value);
  if (!parsed.success) throw changed(number, "its outcome has another form");
  return parsed.output;
}

function requireSame(
  recorded: JournalEntry,
  made: { readonly call: string; readonly input: unknown },
  number: number,
): void {
  if (recorded.call !== made.call) throw changed(number, `recorded ${recorded.call}, ran ${made.call}`);
  if (canonical(recorded.input) !== canonical(made.input)) throw changed(number, "another input");
}

/** JSON with sorted keys, so that the order in which an object was built does not count. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function changed(number: number, what: string): JobError {
  return new JobError("ERR_WORKFLOW_CHANGED", `call ${number} of the workflow: ${what}`);
}
