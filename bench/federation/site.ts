import { once } from "node:events";
import { Site, type Trainer, type TrainerJob } from "@photinus/core/site";
import type { ParameterSet } from "@photinus/core/tensor";
import { nodeCrypto, pinoLogger, systemClock, webSocketConnector } from "@photinus/node-platform";
import { partStart, tell, zerosOf } from "./parts.ts";

const { opened, server = "", waits = false } = await partStart();

/** Sends back what costs nothing to compute: the platform is measured, not the training. */
class NoTraining implements Trainer {
  #delta: ParameterSet | undefined;

  async prepare({ parameters }: TrainerJob) {
    this.#delta = zerosOf(parameters);
    return { device: "none", trainingExamples: 10, heldOutExamples: 1 };
  }

  async evaluate() {
    return { loss: 1, accuracy: 0.5, exampleCount: 1 };
  }

  async train() {
    if (this.#delta === undefined) throw new Error("not prepared");
    if (waits) {
      tell({ kind: "waiting" });
      await once(process, "message");
    }
    return { delta: this.#delta, exampleCount: 10, loss: 1, steps: 1 };
  }

  async close() {
    this.#delta = undefined;
  }
}

const crypto = nodeCrypto();
const { identity, configuration, root } = opened;
const site = new Site(
  {
    identity,
    project: configuration.project,
    root: root.der,
    serverName: configuration.server.name,
    dataNames: ["bench"],
    runtime: "node",
  },
  {
    connector: webSocketConnector({ url: server }),
    clock: systemClock(),
    crypto,
    random: { bytes: (length) => crypto.randomBytes(length) },
    logger: pinoLogger({ name: configuration.name, level: "warn" }),
    createTrainer: () => new NoTraining(),
    decideJob: async () => "accept",
  },
);
site.start();
process.once("disconnect", () => void site.stop().finally(() => process.exit()));
