import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import type { ParameterSet } from "@photinus/core/tensor";
import { readModel, withInitializers, writeModel } from "../onnx/index.ts";

/**
 * The ONNX file of a job's graph with the parameters that came of it.
 * @throws TrainingError of the graph; `ERR_MODEL_PARAMETERS` when the parameters are not its own
 */
export function trainedModel(graph: Bytes, parameters: ParameterSet): Bytes {
  const model = readModel(graph);
  const { initializers } = model.graph;
  for (const [name, { dtype, shape }] of parameters.entries()) {
    const own = initializers.get(name);
    if (own?.dtype !== dtype || own.shape.join() !== shape.join()) {
      throw new TrainingError(
        "ERR_MODEL_PARAMETERS",
        `the graph holds no parameter ${name} of ${dtype}[${shape.join(",")}]`,
      );
    }
  }
  return writeModel(withInitializers(model, parameters.entries()));
}
