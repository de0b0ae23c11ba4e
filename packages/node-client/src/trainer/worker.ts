import { type MessagePort, workerData } from "node:worker_threads";
import { overMessagePort } from "@photinus/training";
import { serveNodeTrainer } from "./serve-node-trainer.ts";
import type { WorkerOptions } from "./worker-options.ts";

// Entry of the worker thread. start-worker.ts passes exactly this; workerData has no type of its own.
const { port, options } = workerData as { readonly port: MessagePort; readonly options: WorkerOptions };
serveNodeTrainer(overMessagePort(port), options);
