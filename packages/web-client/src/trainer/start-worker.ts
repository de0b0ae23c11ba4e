import { overMessagePort, type TrainerWorker } from "@photinus/training";
import type { WorkerOrder, WorkerTask } from "./worker-order.ts";

/** Starts a worker and tells it what to do. */
export function startWorker(task: WorkerTask): TrainerWorker {
  // By way of the package's folder, so that a bundler finds it from dist, too: it builds the TypeScript either way.
  const worker = new Worker(new URL("../../src/trainer/worker.ts", import.meta.url), {
    type: "module",
    name: "photinus trainer",
  });
  const { port1, port2 } = new MessageChannel();
  const order: WorkerOrder = { task, port: port2 };
  worker.postMessage(order, [port2]);
  return {
    port: overMessagePort(port1),
    end: async () => worker.terminate(),
    onLost: (listener) =>
      worker.addEventListener("error", (event) => listener(event.message || "it could not start")),
  };
}
