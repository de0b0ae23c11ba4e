import { type JobBundle, type JobDefinition, layoutOfUpdate } from "@photinus/core/job";
import { elementCount } from "@photinus/core/tensor";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";
import { jobJsonSchema } from "../job/job-json-schema.ts";
import { readJob } from "../job/read-job.ts";
import { megabytes } from "../megabytes.ts";
import { printDocument } from "../print-document.ts";

/** Says what `photinus job submit` would hand in, without a server. @throws as `readJob` */
export async function checkJobFile(file: string, { terminal }: CommandContext): Promise<void> {
  const { bundle, modelPath, openDimensions } = await readJob(file);
  const { definition, parameters } = bundle;
  const { name, workflow, training, dataName, aggregation } = definition;
  const sizes = sizesOf(bundle);
  const loss = typeof training.loss === "string" ? training.loss : training.loss.name;
  terminal.line(`job  ${name}`);
  terminal.line(`model  ${modelPath}  ${megabytes(sizes.graphBytes)}`);
  terminal.line(
    `${counted(parameters.length, "parameter")} of ${sizes.numbers} numbers, ${sizes.trainableNumbers} trainable`,
  );
  terminal.line(
    `${workflow.name}  ${counted(workflow.rounds, "round")} of at least ${counted(workflow.minimumSites, "site")}, ` +
      [`rule ${aggregation?.name ?? "weighted-mean"}`, ...serverOptimizerOf(workflow)].join(", "),
  );
  terminal.line(
    `training  ${loss}, ${training.optimizer.name}, ${counted(training.localEpochs, "epoch")} a round ` +
      `in batches of ${training.batchSize}, on the data named ${dataName}`,
  );
  terminal.line(
    `each round and site  ↓${megabytes(sizes.modelBytes)} ↑${megabytes(sizes.updateBytes)} before filters`,
  );
  if (openDimensions.length > 0) {
    terminal.note(`Not tried here: each site's data sets the size of ${openDimensions.join(", ")}.`);
  }
  terminal.result({ file, model: modelPath, definition, ...sizes, openDimensions });
}

function serverOptimizerOf({ serverOptimizer }: JobDefinition["workflow"]): readonly string[] {
  return serverOptimizer === undefined ? [] : [`server optimizer ${serverOptimizer.name}`];
}

/** What a job weighs. */
function sizesOf({ definition, model, parameters, initialParameters }: JobBundle) {
  const numbers = (list: JobBundle["parameters"]): number =>
    list.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const trainable = parameters.filter((parameter) => parameter.trainable);
  const trainableNumbers = numbers(trainable);
  return {
    graphBytes: model.byteLength,
    parameters: parameters.length,
    numbers: numbers(parameters),
    trainableNumbers,
    modelBytes: initialParameters.byteLength,
    updateBytes: layoutOfUpdate({ definition, parameters }).byteLength,
  };
}

/** Prints the JSON Schema of `job.yaml`. */
export function printJobSchema({ terminal }: CommandContext): void {
  printDocument(jobJsonSchema(), terminal);
}
