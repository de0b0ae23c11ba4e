import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { JobBundle } from "@photinus/core/job";
import { type KitFiles, type OpenedKit, openKit, type StartupKit } from "@photinus/core/provision";
import { type ParameterDescriptor, ParameterSet, Tensor } from "@photinus/core/tensor";
import { nodeCrypto } from "@photinus/node-platform";

/** What a process of a benchmark is started with, as its first message. */
export interface PartStart {
  readonly kit: { readonly files: KitFiles; readonly secret: string };
  /** Server: folder of its state. */
  readonly stateFolder?: string;
  /** Site: address of the server's socket. */
  readonly server?: string;
  /** Site: true, it waits in each task until it is told to go on. */
  readonly waits?: boolean;
}

/** What processes of a benchmark tell and ask. */
export type PartMessage =
  | { readonly kind: "ready"; readonly socketUrl: string }
  /** A site has the model of a round and waits. */
  | { readonly kind: "waiting" }
  | { readonly kind: "go" }
  | { readonly kind: "measure" }
  | { readonly kind: "measured"; readonly cpuMs: number; readonly peakBytes: number };

/** Starts `bench/federation/<name>.ts` as a process. */
export function startPart(
  name: "server" | "site",
  kit: StartupKit,
  start: Omit<PartStart, "kit"> = {},
): ChildProcess {
  const child = fork(fileURLToPath(new URL(`${name}.ts`, import.meta.url)), {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  // The files travel as entries: a Map over structured clone stays a Map.
  const message: PartStart = { kit: { files: kit.files, secret: kit.secret }, ...start };
  child.send(message);
  return child;
}

/** The next message of a kind. @throws Error when the process ends first */
export async function hear<Kind extends PartMessage["kind"]>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<PartMessage, { kind: Kind }>> {
  const ended = once(child, "exit").then(([code]): never => {
    throw new Error(`a process of the benchmark ended with status ${code}`);
  });
  ended.catch(() => undefined);
  for (;;) {
    const [message]: [PartMessage] = await Promise.race([once(child, "message"), ended]);
    if (message.kind === kind) return message as Extract<PartMessage, { kind: Kind }>;
  }
}

/** Tells a process to end and waits until it has. */
export async function endPart(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.disconnect();
  await ended;
}

/** In a process of a benchmark: its kit and the rest of its first message. */
export async function partStart(): Promise<PartStart & { readonly opened: OpenedKit }> {
  const [start]: [PartStart] = await (once(process, "message") as Promise<[PartStart]>);
  const { files, secret } = start.kit;
  const opened = await openKit(files, { nowMs: Date.now(), secret }, { crypto: nodeCrypto() });
  return { ...start, opened };
}

/** In a process of a benchmark: tells the runner something. */
export function tell(message: PartMessage): void {
  process.send?.(message);
}

/** Zeros of the shapes of a parameter table. */
export function zerosOf(parameters: readonly ParameterDescriptor[]): ParameterSet {
  return new ParameterSet(
    parameters.map(({ name, shape }) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return [name, Tensor.f32(shape, new Float32Array(count))];
    }),
  );
}

/** A job whose graph nobody opens: the sites of benchmarks do not train. */
export function benchJob(
  shapes: readonly (readonly number[])[],
  { rounds, sites }: { readonly rounds: number; readonly sites: number },
): JobBundle {
  const parameters = shapes.map((shape, index) => ({
    name: `tensor-${index}`,
    dtype: "f32" as const,
    shape,
    trainable: true,
  }));
  return {
    definition: {
      name: "bench",
      purpose: "a benchmark",
      workflow: {
        name: "fedavg",
        rounds,
        minimumSites: sites,
        roundTimeoutMs: 300_000,
        waitForSitesMs: 60_000,
      },
      training: {
        loss: "cross-entropy",
        optimizer: { name: "sgd", learningRate: 0.1, momentum: 0 },
        batchSize: 1,
        localEpochs: 1,
      },
      dataName: "bench",
      seed: 1,
      chunkBytes: 262_144,
      maximumExamples: 1_000,
    },
    model: new Uint8Array(64),
    parameters,
    initialParameters: zerosOf(parameters),
  };
}
