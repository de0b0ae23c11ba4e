import type { TrainerPort } from "@photinus/training";
import { serveNodeTrainer } from "./serve-node-trainer.ts";
import type { WorkerOptions } from "./worker-options.ts";

// Entry of the child process, whose first message from start-worker.ts is its options.
const port: TrainerPort = {
  post: (message) => process.send?.(message),
  listen: (receive) => process.on("message", receive),
  close: () => process.disconnect(),
};
process.once("message", (options) => serveNodeTrainer(port, options as WorkerOptions));
process.once("disconnect", () => process.exit(0)); // without its site a trainer has nobody to train for
