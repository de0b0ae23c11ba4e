export { type AdaptedModel, type AdapterOptions, addAdapters, mergeAdapters } from "./adapter/index.ts";
export {
  type CompiledEvaluation,
  type CompiledGraph,
  type CompiledStep,
  compileEvaluation,
  compileStep,
  type EvaluationOptions,
  type FrameOptions,
  type InputPort,
  type Port,
  type ScalarInput,
  type StateSlot,
  type StepOptions,
} from "./compile/index.ts";
export {
  arrayDataset,
  type BatchArray,
  type BatchBuffers,
  type DataSource,
  type Dataset,
  type Feature,
  type FeatureArray,
  floatsOf,
  gunzip,
  type IdxArray,
  type IdxFiles,
  type ImageOptions,
  imageDataset,
  type LabelArray,
  type Labelling,
  MAX_UNPACKED_BYTES,
  MNIST_PIXELS,
  type PartitionOptions,
  parseIdx,
  partitionByLabel,
  readLabels,
  type SiteData,
  type SiteIndices,
} from "./data/index.ts";
export { GRADIENTS, type Profile } from "./gradient/index.ts";
export { type DropoutMask, LOWERINGS, OPERATORS, SEQUENCE_OPERATORS } from "./graph/index.ts";
export { type Blocker, type InspectedParameter, inspectModel, type ModelReport } from "./inspect/index.ts";
export { type BenchModel, type BenchModelName, benchModel, initializeParameters } from "./models/index.ts";
export {
  DEFAULT_MODEL_LIMITS,
  type Dimension,
  type Graph,
  type Model,
  type ModelLimits,
  type Node,
  readModel,
  type Value,
  writeModel,
} from "./onnx/index.ts";
export { type SeededRandom, seededRandom, shuffledIndices } from "./random.ts";
export {
  createRuntime,
  EvaluationSession,
  type OnnxRuntime,
  type Runtime,
  type RuntimeOptions,
  type RuntimeTensor,
  StepSession,
  type Tensors,
} from "./runtime/index.ts";
export {
  type CallOptions,
  type CreateTrainerOptions,
  checkParameterTable,
  createTrainer,
  type EpochsOutcome,
  LocalTrainer,
  type LocalTrainerModules,
  type MeasuredEvaluation,
  type MeasuredMetric,
  type ModelTrainer,
  type ParameterTableOptions,
  parameterTable,
  type RuntimeCandidate,
  type RuntimeChoice,
  type TriedRuntime,
  tryRuntime,
} from "./trainer/index.ts";
export {
  type MessagePortLike,
  overMessagePort,
  PortTrainer,
  serveTrainer,
  type TrainerPort,
} from "./trainer-port/index.ts";
