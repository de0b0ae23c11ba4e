import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { overMessagePort, PortTrainer, type TrainerPort } from "@photinus/training";
import { entryOf, SOURCE_FLAGS } from "./entry.ts";
import type { NodeTrainerOptions } from "./worker-options.ts";

/**
 * Starts a trainer beside the main thread, where a step would block heartbeats: in a worker thread, or for WebGPU in a
 * child process, since onnxruntime-node can abort the whole process there. When it dies, all calls are refused with
 * `ERR_TRAINER_LOST`. Close it to end the worker.
 */
export function startNodeTrainer(options: NodeTrainerOptions): PortTrainer {
  disableTelemetry();
  return options.device === "webgpu" ? startChild(options) : startWorker(options);
}

/**
 * onnxruntime-node 1.30 reports its use to Microsoft unless this variable is set: a site must talk to its server only.
 * The library reads it from the process, so it is set here and not in the worker, whose environment is a copy.
 */
function disableTelemetry(): void {
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
}

function startWorker(options: NodeTrainerOptions): PortTrainer {
  const { port1, port2 } = new MessageChannel();
  const { file, args } = entryOf("worker");
  const worker = new Worker(file, {
    argv: [...args],
    workerData: { port: port2, options },
    transferList: [port2],
    execArgv: [...SOURCE_FLAGS],
  });
  return watchWorker(worker, port1);
}

/** A trainer at the other end of `port`, lost when `worker` ends. */
export function watchWorker(worker: Worker, port: MessagePort): PortTrainer {
  const trainer = new PortTrainer(overMessagePort(port), async () => {
    await worker.terminate();
  });
  worker.once("error", (error) => trainer.lose(error.message));
  worker.once("exit", (code) => trainer.lose(`exit code ${code}`));
  return trainer;
}

function startChild(options: NodeTrainerOptions): PortTrainer {
  const { file, args } = entryOf("child");
  const child = fork(fileURLToPath(file), [...args], {
    serialization: "advanced",
    execArgv: [...SOURCE_FLAGS],
  });
  const port: TrainerPort = {
    post: (message) => {
      if (child.connected) child.send(message as object); // every message of the protocol is an object
    },
    listen: (receive) => {
      child.on("message", receive);
    },
    close: () => {
      if (child.connected) child.disconnect();
    },
  };
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const trainer = new PortTrainer(port, () => ended);
  child.once("error", (error) => trainer.lose(error.message));
  child.once("exit", (code, signal) => trainer.lose(`exit ${signal ?? `code ${code}`}`));
  child.send(options);
  return trainer;
}
