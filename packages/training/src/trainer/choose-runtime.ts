import { TrainingError } from "@photinus/core/errors";
import type { Clock } from "@photinus/core/platform";
import type { ParameterSet } from "@photinus/core/tensor";
import type { CompiledStep } from "../compile/index.ts";
import type { Profile } from "../gradient/index.ts";
import { type Runtime, StepSession } from "../runtime/index.ts";
import { type StepMemory, stepBytes } from "./step-bytes.ts";

/** A device that may or may not be there. */
export interface RuntimeCandidate {
  /** Its name. */
  readonly device: Profile;
  /** Finds it. Throws anything when it is not there. */
  readonly find: () => Promise<Runtime>;
  /** Bytes that a step may use there, at the moment. Default: not known. */
  readonly availableBytes?: () => number;
}

/** The devices that a host offers, and which of those that work is taken. */
export interface RuntimeChoice {
  /** In order of preference. */
  readonly candidates: readonly RuntimeCandidate[];
  /** The first that works, or the one that takes three steps in the shortest time. */
  readonly take: "first" | "fastest";
}

/** A device that was tried and not taken. */
export interface RejectedDevice {
  /** Its name. */
  readonly device: Profile;
  /** For people. */
  readonly reason: string;
}

/** A device with the training step open on it. */
export interface OpenRuntime {
  /** The device. */
  readonly runtime: Runtime;
  /** The step, compiled for the device and tried once. */
  readonly session: StepSession;
}

/** The device that was chosen. */
export interface ChosenRuntime extends OpenRuntime {
  /** The others, in the order they were tried. */
  readonly rejected: readonly RejectedDevice[];
  /** What the step needs there. */
  readonly memory: StepMemory;
}

/** What is tried on each candidate. */
export interface Trial {
  /** Compiles the step for a device. Its TrainingErrors are faults of the model and end the choice. */
  readonly compile: (device: Profile) => CompiledStep;
  /** Values for the trial steps. */
  readonly parameters: ParameterSet;
  /** Measures the trial steps. */
  readonly clock: Clock;
  /** Gives up between two devices when it is aborted. Default: never. */
  readonly signal?: AbortSignal | undefined;
  /** What to say where a step does not fit into `availableBytes`. Default: that it does not. */
  readonly advise?: (availableBytes: number) => string;
}

const MEASURED_STEPS = 3;

/**
 * Opens the step on the device that is to be used. Each candidate takes a real step before it counts: some providers
 * lack an operator and only say so when it runs.
 * @throws TrainingError `ERR_DEVICE_UNAVAILABLE` with each candidate's reason when none works
 */
export async function chooseRuntime(choice: RuntimeChoice, trial: Trial): Promise<ChosenRuntime> {
  const rejected: RejectedDevice[] = [];
  let best: MeasuredRuntime | undefined;
  for (const candidate of choice.candidates) {
    trial.signal?.throwIfAborted();
    const compiled = trial.compile(candidate.device);
    const tried = await measure(candidate, { ...trial, compiled }).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : "failed";
      rejected.push({ device: candidate.device, reason });
      return undefined;
    });
    if (tried === undefined) continue;
    if (choice.take === "first") return { ...tried, rejected };
    const [kept, other] =
      best === undefined || tried.durationMs < best.durationMs ? [tried, best] : [best, tried];
    if (other !== undefined) {
      await other.session.close();
      rejected.push(slower(other, kept));
    }
    best = kept;
  }
  if (best === undefined) {
    const reasons = rejected.map(({ device, reason }) => `${device}: ${reason}`).join("; ");
    throw new TrainingError("ERR_DEVICE_UNAVAILABLE", `no device works (${reasons})`);
  }
  return { ...best, rejected };
}

function slower({ runtime, durationMs }: TriedRuntime, kept: TriedRuntime): RejectedDevice {
  const times = `${MEASURED_STEPS} steps took ${durationMs} ms, on ${kept.runtime.device} ${kept.durationMs} ms`;
  return { device: runtime.device, reason: `slower: ${times}` };
}

interface MeasuredRuntime extends TriedRuntime {
  readonly memory: StepMemory;
}

/** Tries a device, unless it says beforehand that a step does not fit: running out of memory may end the process. */
async function measure(
  candidate: RuntimeCandidate,
  { advise, ...trial }: Omit<Trial, "compile" | "signal"> & { readonly compiled: CompiledStep },
): Promise<MeasuredRuntime> {
  const memory = { neededBytes: stepBytes(trial.compiled), availableBytes: candidate.availableBytes?.() };
  const { neededBytes, availableBytes = Number.POSITIVE_INFINITY } = memory;
  if (neededBytes > availableBytes) {
    const [needed, free] = [neededBytes, availableBytes].map(inMegabytes);
    const advice = advise?.(availableBytes) ?? "use smaller batches";
    throw new TrainingError(
      "ERR_DEVICE_UNAVAILABLE",
      `a step needs about ${needed}, ${free} are free: ${advice}`,
    );
  }
  return { ...(await tryRuntime(candidate, trial)), memory };
}

const inMegabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

/** A device that took trial steps. */
export interface TriedRuntime extends OpenRuntime {
  /** Steps measured. */
  readonly steps: number;
  /** Time they took together. */
  readonly durationMs: number;
}

/** Finds a device, opens the step there and measures three steps behind a first one. Throws whatever goes wrong. */
export async function tryRuntime(
  candidate: RuntimeCandidate,
  { compiled, parameters, clock }: Pick<Trial, "parameters" | "clock"> & { readonly compiled: CompiledStep },
): Promise<TriedRuntime> {
  const runtime = await candidate.find();
  const session = await StepSession.open(runtime, compiled);
  try {
    session.start(parameters, 0, { corrections: parameters }); // what they are does not matter to the trial
    session.batch.fillWithZeros();
    await session.step(0); // compiles shaders and warms caches; its time says nothing
    const start = clock.now();
    for (let step = 0; step < MEASURED_STEPS; step++) await session.step(0);
    return { runtime, session, steps: MEASURED_STEPS, durationMs: clock.now() - start };
  } catch (cause) {
    await session.close();
    throw cause;
  }
}
