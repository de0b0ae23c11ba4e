import { writeModel } from "@photinus/training";
import { parseDevice } from "./device.ts";
import { nodeRuntimes } from "./runtimes.ts";

// Entry of the child process of probe-device.ts: the device is its last argument, its one message the report.
const VALUES = 4;

/** y = x + x, so that an operator has to run. */
function sum(): ReturnType<typeof writeModel> {
  const value = (name: string) => ({ name, dtype: "f32" as const, shape: [VALUES] });
  const node = { name: "add", operator: "Add", inputs: ["x", "x"], outputs: ["y"], attributes: new Map() };
  const graph = {
    name: "probe",
    inputs: [value("x")],
    outputs: [value("y")],
    initializers: new Map(),
    nodes: [node],
  };
  return writeModel({ irVersion: 8, opset: 17, producer: "photinus", graph });
}

async function milliseconds(): Promise<number> {
  const [candidate] = nodeRuntimes(parseDevice(process.argv.at(-1) ?? ""), 1).candidates;
  if (candidate === undefined) throw new Error("no such device");
  const runtime = await candidate.find();
  const session = await runtime.open(sum(), []);
  const begin = performance.now();
  await session.run({ x: runtime.tensor(new Float32Array(VALUES).fill(1), [VALUES]) });
  const duration = performance.now() - begin;
  await session.close();
  return duration;
}

milliseconds().then(
  (duration) => process.send?.({ works: true, detail: `a graph ran in ${duration.toFixed(1)} ms` }),
  (error: unknown) => {
    const detail = (error instanceof Error ? error.message : String(error)).slice(0, 300);
    process.send?.({ works: false, detail });
  },
);
