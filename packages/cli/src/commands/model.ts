import {
  type Blocker,
  type InspectedParameter,
  inspectModel,
  type ModelReport,
  readModel,
} from "@photinus/training";
import type { CommandContext } from "../context.ts";
import { counted } from "../counted.ts";
import { readModelFile } from "../read-model-file.ts";
import type { Terminal } from "../terminal.ts";

/**
 * Prints inputs, outputs, parameters and operators of a model, and each reason why it cannot be trained. A model that
 * cannot be trained is a result, not an error of the command.
 * @throws TrainingError when the file is no model; HostError `ERR_CONFIG_INVALID` when it cannot be read
 */
export async function inspectModelFile(path: string, { terminal }: CommandContext): Promise<void> {
  const report = inspectModel(readModel(await readModelFile(path)));
  printReport(report, terminal);
  terminal.result(report);
}

function printReport(report: ModelReport, terminal: Terminal): void {
  const { opset, producer, inputs, outputs, parameters, operators, trainable, blockers } = report;
  terminal.line(`opset ${opset}${producer === "" ? "" : `, written by ${producer}`}`);
  for (const [kind, values] of [
    ["input", inputs],
    ["output", outputs],
  ] as const) {
    for (const { name, dtype, shape } of values) {
      const sizes =
        shape === undefined ? "of unknown rank" : `[${shape.map((size) => size ?? "?").join(", ")}]`;
      terminal.line(`${kind}  ${name}  ${dtype} ${sizes}`);
    }
  }
  printParameters(parameters, terminal);
  terminal.line(`operators  ${operators.map(({ operator, count }) => `${operator} ${count}`).join(", ")}`);
  if (trainable) terminal.line("This model can be trained.");
  else printBlockers(blockers, terminal);
}

function printParameters(parameters: readonly InspectedParameter[], terminal: Terminal): void {
  const trained = parameters.filter(({ trainable }) => trainable);
  const count = (list: readonly InspectedParameter[]): number =>
    list.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
  terminal.line(
    `${counted(parameters.length, "parameter")} of ${count(parameters)} numbers, ${count(trained)} trainable`,
  );
  for (const { name, dtype, shape, reason } of parameters) {
    terminal.line(
      `  ${name}  ${dtype} [${shape.join(", ")}]${reason === "" ? "" : `  not trainable: ${reason}`}`,
    );
  }
}

/** Reasons name their nodes; the remedy of each kind is said once. */
function printBlockers(blockers: readonly Blocker[], terminal: Terminal): void {
  terminal.line("This model cannot be trained:");
  for (const { reason } of blockers) terminal.line(`  ${reason}`);
  for (const remedy of new Set(blockers.map((blocker) => blocker.remedy))) terminal.line(remedy);
}
