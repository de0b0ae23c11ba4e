import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { overMessagePort, type TrainerPort, type TrainerWorker } from "@photinus/training";
import { entryOf, SOURCE_FLAGS } from "./entry.ts";
import type { WorkerOptions } from "./worker-options.ts";

/**
 * Starts a trainer beside the main thread, where a step would block all else: in a worker thread, or for WebGPU in a child
 * process, since onnxruntime-node can abort the whole process there.
 */
export function startWorker(options: WorkerOptions): TrainerWorker {
  disableTelemetry();
  return options.device === "webgpu" ? startChild(options) : startThread(options);
}

/**
 * onnxruntime-node 1.30 reports its use to Microsoft unless this variable is set: a site must talk to its server only.
 * The library reads it from the process, so it is set here and not in the worker, whose environment is a copy.
 */
function disableTelemetry(): void {
  process.env["ORT_DISABLE_TELEMETRY"] = "1";
}

function startThread(options: WorkerOptions): TrainerWorker {
  const { port1, port2 } = new MessageChannel();
  const { file, args } = entryOf("worker");
  const worker = new Worker(file, {
    argv: [...args],
    workerData: { port: port2, options },
    transferList: [port2],
    execArgv: [...SOURCE_FLAGS],
  });
  return watchThread(worker, port1);
}

/** A worker thread that listens at the other end of `port`. */
export function watchThread(worker: Worker, port: MessagePort): TrainerWorker {
  return {
    port: overMessagePort(port),
    end: async () => {
      await worker.terminate();
    },
    onLost: (listener) => {
      worker.once("error", (error) => listener(error.message));
      worker.once("exit", (code) => listener(`exit code ${code}`));
    },
  };
}

function startChild(options: WorkerOptions): TrainerWorker {
  const { file, args } = entryOf("child");
  const child = fork(fileURLToPath(file), [...args], {
    serialization: "advanced",
    execArgv: [...SOURCE_FLAGS],
  });
  child.send(options);
  return watchChild(child);
}

/** A child process that listens for messages. */
export function watchChild(child: ChildProcess): TrainerWorker {
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
  return {
    port,
    end: () => ended,
    onLost: (listener) => {
      child.once("error", (error) => listener(error.message));
      child.once("exit", (code, signal) => listener(`exit ${signal ?? `code ${code}`}`));
    },
  };
}
