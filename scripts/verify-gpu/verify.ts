// What `npm run verify:gpu` runs on a GPU host: every gradient graph against the float64 reference, and the training
// bench, on each device in a process of its own, since a driver may end the process. Prints one JSON object.
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { nodeRuntimes } from "../../packages/node-client/src/trainer/runtimes.ts";
import {
  type BenchModelName,
  benchModel,
  compileStep,
  type Dataset,
  floatsOf,
  type Runtime,
  readModel,
  StepSession,
  seededRandom,
} from "../../packages/training/src/index.ts";
import { GRADIENT_CASES } from "../../packages/training/test/reference/cases.ts";
import { errorOnRuntime } from "../../packages/training/test/reference/run-on-runtime.ts";

const DEVICES = ["cpu", "cuda", "webgpu"] as const;
type Device = (typeof DEVICES)[number];

/** CUDA may multiply in TF32, whose mantissa has 10 bits; the others compute in float32. */
const TOLERANCE: Readonly<Record<Device, number>> = { cpu: 1e-5, cuda: 5e-3, webgpu: 1e-4 };
const BATCH_SIZE = 64;
const MEASURED_MS = 3000;
const CHILD_TIMEOUT_MS = 240_000;

/** What one device did. */
interface DeviceReport {
  readonly device: Device;
  readonly available: boolean;
  /** Why it is not available. */
  readonly reason?: string;
  readonly gradients?: GradientReport;
  readonly training?: Readonly<Record<BenchModelName, TrainingReport>>;
}

interface GradientReport {
  readonly cases: number;
  readonly tolerance: number;
  readonly worst: number;
  readonly failed: readonly { readonly case: string; readonly error: number | string }[];
}

interface TrainingReport {
  readonly stepsPerSecond: number;
  readonly firstLoss: number;
  readonly lastLoss: number;
}

async function verifyDevice(device: Device): Promise<DeviceReport> {
  const [candidate] = nodeRuntimes(device, device === "cpu" ? 0 : 1).candidates;
  let runtime: Runtime;
  try {
    runtime = await candidate!.find();
    await errorOnRuntime(GRADIENT_CASES[0]!, runtime);
  } catch (error) {
    return { device, available: false, reason: messageOf(error) };
  }
  return {
    device,
    available: true,
    gradients: await verifyGradients(runtime, TOLERANCE[device]),
    training: { mlp: await measureTraining("mlp", runtime), cnn: await measureTraining("cnn", runtime) },
  };
}

async function verifyGradients(runtime: Runtime, tolerance: number): Promise<GradientReport> {
  const failed: { case: string; error: number | string }[] = [];
  let worst = 0;
  const cases = GRADIENT_CASES.filter(({ lacking }) => !lacking?.includes(runtime.device));
  for (const sample of cases) {
    const error = await errorOnRuntime(sample, runtime).catch(messageOf);
    if (typeof error === "number") worst = Math.max(worst, error);
    if (!(Number(error) < tolerance)) failed.push({ case: `${sample.operator} ${sample.form}`, error });
  }
  return { cases: cases.length, tolerance, worst, failed };
}

async function measureTraining(name: BenchModelName, runtime: Runtime): Promise<TrainingReport> {
  const { model, parameters, initialParameters } = benchModel(name, 1);
  const compiled = compileStep(readModel(model), {
    parameters,
    loss: "cross-entropy",
    optimizer: { name: "sgd", momentum: 0.9 },
    batchSize: BATCH_SIZE,
    profile: runtime.device,
  });
  const session = await StepSession.open(runtime, compiled);
  session.start(initialParameters);
  session.batch.fill(
    noise(),
    Uint32Array.from({ length: BATCH_SIZE }, (_, index) => index),
  );
  const firstLoss = await session.step(1e-3);
  for (let step = 0; step < 5; step++) await session.step(1e-3);
  const start = performance.now();
  let steps = 0;
  let lastLoss = firstLoss;
  for (; performance.now() - start < MEASURED_MS; steps++) lastLoss = await session.step(1e-3);
  const stepsPerSecond = (1000 * steps) / (performance.now() - start);
  await session.close();
  return { stepsPerSecond, firstLoss, lastLoss };
}

/** Examples of normal noise: the speed of a step does not depend on what it learns. */
function noise(): Dataset {
  const random = seededRandom(3);
  return {
    count: BATCH_SIZE,
    features: [{ name: "image", dtype: "f32", shape: [1, 28, 28] }],
    labelling: { kind: "classes", classCount: 10, shape: [] },
    read: (indices, into) => {
      const examples = floatsOf(into, 0);
      examples.forEach((_, index) => {
        examples[index] = random.normal();
      });
      indices.forEach((index, row) => {
        into.labels[row] = index % 10;
      });
    },
  };
}

function inChild(device: Device): DeviceReport {
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), device], {
    encoding: "utf8",
    timeout: CHILD_TIMEOUT_MS,
    maxBuffer: 2 ** 24,
  });
  const line = child.stdout.trim().split("\n").at(-1) ?? "";
  if (child.status === 0 && line.startsWith("{")) return JSON.parse(line) as DeviceReport; // written by verifyDevice
  const ending = child.signal ?? `exit code ${child.status}`;
  return { device, available: false, reason: `${ending}: ${child.stderr.trim().slice(-500)}` };
}

function gpus(): string {
  const query = ["--query-gpu=name,driver_version", "--format=csv,noheader"];
  return spawnSync("nvidia-smi", query, { encoding: "utf8" }).stdout?.trim() ?? "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 500) : "unknown cause";
}

const asked = DEVICES.find((device) => device === process.argv[2]);
if (asked !== undefined) {
  console.log(JSON.stringify(await verifyDevice(asked)));
} else {
  const devices = DEVICES.map(inChild);
  const machine = { cpu: cpus()[0]?.model ?? "", cores: cpus().length, gpus: gpus(), node: process.version };
  console.log(JSON.stringify({ verification: "gpu", machine, devices }));
  const failed = devices.some(({ gradients }) => (gradients?.failed.length ?? 0) > 0);
  process.exitCode = failed ? 1 : 0;
}
