import { TrainingError } from "@photinus/core/errors";
import type { Clock } from "@photinus/core/platform";
import type { ParameterSet } from "@photinus/core/tensor";
import type { CompiledStep } from "../compile/index.ts";
import type { Profile } from "../gradient/index.ts";
import { type Runtime, StepSession } from "../runtime/index.ts";

/** A device that may or may not be there. */
export interface RuntimeCandidate {
  /** Its name. */
  readonly device: Profile;
  /** Finds it. Throws anything when it is not there. */
  readonly find: () => Promise<Runtime>;
}

/** The devices that a host offers, and which of those that work is taken. */
export interface RuntimeChoice {
  /** In order of preference. */
  readonly candidates: readonly RuntimeCandidate[];
  /** The first that works, or the one that takes three steps in the shortest time. */
  readonly take: "first" | "fastest";
}

/** A device with the training step open on it. */
export interface ChosenRuntime {
  /** The device. */
  readonly runtime: Runtime;
  /** The step, compiled for the device and tried once. */
  readonly session: StepSession;
}

/** What is tried on each candidate. */
export interface Trial {
  /** Compiles the step for a device. Its TrainingErrors are faults of the model and end the choice. */
  readonly compile: (device: Profile) => CompiledStep;
  /** Values for the trial steps. */
  readonly parameters: ParameterSet;
  /** Measures the trial steps. */
  readonly clock: Clock;
}

const MEASURED_STEPS = 3;

/**
 * Opens the step on the device that is to be used. Each candidate takes a real step before it counts: some providers
 * lack an operator and only say so when it runs.
 * @throws TrainingError `ERR_DEVICE_UNAVAILABLE` with each candidate's reason when none works
 */
export async function chooseRuntime(choice: RuntimeChoice, trial: Trial): Promise<ChosenRuntime> {
  const failures: string[] = [];
  let best: TriedRuntime | undefined;
  for (const candidate of choice.candidates) {
    const compiled = trial.compile(candidate.device);
    const tried = await tryRuntime(candidate, { ...trial, compiled }).catch((cause: unknown) => {
      failures.push(`${candidate.device}: ${cause instanceof Error ? cause.message : "failed"}`);
      return undefined;
    });
    if (tried === undefined) continue;
    if (choice.take === "first") return tried;
    const [kept, other] =
      best === undefined || tried.durationMs < best.durationMs ? [tried, best] : [best, tried];
    await other?.session.close();
    best = kept;
  }
  if (best === undefined) {
    throw new TrainingError("ERR_DEVICE_UNAVAILABLE", `no device works (${failures.join("; ")})`);
  }
  return best;
}

/** A device that took trial steps. */
export interface TriedRuntime extends ChosenRuntime {
  /** Steps measured. */
  readonly steps: number;
  /** Time they took together. */
  readonly durationMs: number;
}

/** Finds a device, opens the step there and measures three steps behind a first one. Throws whatever goes wrong. */
export async function tryRuntime(
  candidate: RuntimeCandidate,
  { compiled, parameters, clock }: Omit<Trial, "compile"> & { readonly compiled: CompiledStep },
): Promise<TriedRuntime> {
  const runtime = await candidate.find();
  const session = await StepSession.open(runtime, compiled);
  try {
    session.start(parameters);
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
