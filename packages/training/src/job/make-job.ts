import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import type { JobBundle, JobDefinition } from "@photinus/core/job";
import type { ParameterDescriptor } from "@photinus/core/tensor";
import { inspectModel } from "../inspect/index.ts";
import { type Model, readModel } from "../onnx/index.ts";
import { checkMetrics, compileFor, parameterTable, valuesInside } from "../trainer/index.ts";

/** A job that can be signed. */
export interface MadeJob {
  /** Definition, graph, parameter table and the values that the file holds. */
  readonly bundle: JobBundle;
  /** Names of dimensions of the inputs that each site's data sets: with any, a step was not tried. */
  readonly openDimensions: readonly string[];
}

/**
 * Makes a job of a model file: proves that it can be trained as the definition says, and takes its parameters out. Those that
 * no gradient reaches travel along unchanged.
 *
 * @throws TrainingError of the model; `ERR_MODEL_SHAPE` when the loss or a metric does not fit it
 */
export function makeJob(file: Bytes, definition: JobDefinition): MadeJob {
  const model = readModel(file);
  const openDimensions = dimensionsLeftOpen(model);
  const isFixed = openDimensions.length === 0;
  const parameters = isFixed ? trainableTable(model) : parameterTable(model);
  const { training } = definition;
  if (isFixed) {
    const { loss, batchSize } = training;
    const { labelling } = compileFor(model, training, { parameters, loss, batchSize, profile: "cpu" });
    checkMetrics(definition.metrics ?? [], labelling.classCount ?? 1);
  }
  const initialParameters = valuesInside(model, parameters);
  return { bundle: { definition, model: file, parameters, initialParameters }, openDimensions };
}

function trainableTable(model: Model): readonly ParameterDescriptor[] {
  const report = inspectModel(model);
  const [first] = report.blockers;
  if (first !== undefined) throw refusal(report.blockers.length - 1, first.reason, first.code);
  const reached = new Set(report.parameters.filter(({ trainable }) => trainable).map(({ name }) => name));
  return parameterTable(model).map((entry) => ({ ...entry, trainable: reached.has(entry.name) }));
}

function refusal(others: number, reason: string, code: TrainingError["code"]): TrainingError {
  const more = others === 0 ? "" : `, and ${others} more: photinus model inspect lists them`;
  return new TrainingError(code, `the model cannot be trained: ${reason}${more}`);
}

/** Sizes that the file only names and that are not its batch. */
function dimensionsLeftOpen({ graph: { inputs } }: Model): readonly string[] {
  const batch = inputs[0]?.shape?.[0];
  const named = inputs.flatMap(({ shape = [] }, input) =>
    shape.filter((size, axis): size is string => typeof size === "string" && !(input === 0 && axis === 0)),
  );
  return [...new Set(named)].filter((name) => name !== batch);
}
