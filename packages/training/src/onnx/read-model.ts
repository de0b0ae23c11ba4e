import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import type { Tensor } from "@photinus/core/tensor";
import { DEFAULT_MODEL_LIMITS, type ModelLimits } from "./limits.ts";
import type { Graph, Model, Node, Value } from "./model.ts";
import { malformed, ProtoReader } from "./proto-reader.ts";
import { deeper, type ReadContext, readNode } from "./read-node.ts";
import { readTensor } from "./read-tensor.ts";
import { readValue } from "./read-value.ts";
import { validateGraph } from "./validate-graph.ts";

/** Versions of the default operator set that models may use. */
export const SUPPORTED_OPSETS: { readonly oldest: number; readonly newest: number } = {
  oldest: 13,
  newest: 23,
};

/**
 * Reads an ONNX file (onnx.proto of ONNX 1.20) that may come from a stranger: limits are checked before memory is
 * taken, and the graph is proven to be well-formed. The tensors are views of `bytes` where the memory is aligned.
 *
 * @param bytes the file; kept
 * @throws TrainingError `ERR_MODEL_MALFORMED`, `ERR_MODEL_TOO_LARGE`, `ERR_MODEL_EXTERNAL_DATA`,
 *   `ERR_MODEL_OPSET`, or `ERR_MODEL_OPERATOR` for operators of foreign domains and local functions
 */
export function readModel(bytes: Bytes, limits: ModelLimits = DEFAULT_MODEL_LIMITS): Model {
  if (bytes.byteLength > limits.maxModelBytes) {
    throw new TrainingError("ERR_MODEL_TOO_LARGE", `the model has ${bytes.byteLength} bytes`);
  }
  const context: ReadContext = { limits, depth: 0, nodes: { count: 0 }, readGraph };
  const reader = new ProtoReader(bytes);
  const parts: ModelParts = { irVersion: 0, producer: "", graph: undefined, opsets: [] };
  while (reader.next()) readModelField(reader, parts, context);
  const { graph, irVersion, producer } = parts;
  if (graph === undefined) malformed("it holds no graph");
  const opset = requireOpset(parts.opsets);
  validateGraph(graph);
  return { irVersion, opset, producer, graph };
}

interface ModelParts {
  irVersion: number;
  producer: string;
  graph: Graph | undefined;
  readonly opsets: number[];
}

function readModelField(reader: ProtoReader, parts: ModelParts, context: ReadContext): void {
  switch (reader.field) {
    case 1:
      parts.irVersion = reader.integer();
      return;
    case 2:
      parts.producer = reader.text(context.limits.maxNameBytes);
      return;
    case 7:
      if (parts.graph !== undefined) malformed("it holds two graphs");
      parts.graph = readGraph(reader.message(), deeper(context));
      return;
    case 8:
      readOpset(reader.message(), parts.opsets, context.limits);
      return;
    case 25:
      throw new TrainingError("ERR_MODEL_OPERATOR", "the model defines functions of its own");
    default:
      reader.skip();
  }
}

function readOpset(reader: ProtoReader, into: number[], limits: ModelLimits): void {
  let domain = "";
  let version = 0;
  while (reader.next()) {
    if (reader.field === 1) domain = reader.text(limits.maxNameBytes);
    else if (reader.field === 2) version = reader.integer();
    else reader.skip();
  }
  // Exporters list foreign domains that no node uses; a node that does use one is refused where it stands.
  if (domain === "" || domain === "ai.onnx") into.push(version);
}

function requireOpset(opsets: readonly number[]): number {
  const { oldest, newest } = SUPPORTED_OPSETS;
  const [opset] = opsets;
  if (opsets.length > 1) malformed("it names two operator sets of the default domain");
  if (opset === undefined || opset < oldest || opset > newest) {
    throw new TrainingError("ERR_MODEL_OPSET", `opset ${opset ?? "none"}, expected ${oldest} to ${newest}`);
  }
  return opset;
}

interface GraphParts {
  name: string;
  readonly inputs: Value[];
  readonly outputs: Value[];
  readonly initializers: Map<string, Tensor>;
  readonly nodes: Node[];
}

function readGraph(reader: ProtoReader, context: ReadContext): Graph {
  const parts: GraphParts = { name: "", inputs: [], outputs: [], initializers: new Map(), nodes: [] };
  while (reader.next()) readGraphField(reader, parts, context);
  // Until IR version 4 every initializer was listed as an input, too.
  const inputs = parts.inputs.filter(({ name }) => !parts.initializers.has(name));
  return { ...parts, inputs };
}

function readGraphField(reader: ProtoReader, parts: GraphParts, context: ReadContext): void {
  const { limits } = context;
  switch (reader.field) {
    case 1:
      countNode(context);
      parts.nodes.push(readNode(reader.message(), deeper(context)));
      return;
    case 2:
      parts.name = reader.text(limits.maxNameBytes);
      return;
    case 5:
      addInitializer(reader.message(), parts.initializers, limits);
      return;
    case 11:
      pushValue(parts.inputs, reader.message(), limits);
      return;
    case 12:
      pushValue(parts.outputs, reader.message(), limits);
      return;
    case 15:
      malformed("sparse initializers are not supported");
      return;
    default:
      reader.skip(); // value_info is a hint: shapes are inferred here, not believed
  }
}

function countNode({ nodes, limits }: ReadContext): void {
  nodes.count++;
  if (nodes.count > limits.maxNodes) {
    throw new TrainingError("ERR_MODEL_TOO_LARGE", `the model has more than ${limits.maxNodes} nodes`);
  }
}

function pushValue(into: Value[], reader: ProtoReader, limits: ModelLimits): void {
  into.push(readValue(reader, limits));
  if (into.length > limits.maxValues) {
    throw new TrainingError("ERR_MODEL_TOO_LARGE", `a graph has more than ${limits.maxValues} values`);
  }
}

function addInitializer(reader: ProtoReader, into: Map<string, Tensor>, limits: ModelLimits): void {
  const { name, tensor } = readTensor(reader, limits);
  if (name === "") malformed("an initializer has no name");
  if (into.has(name)) malformed(`initializer ${name} occurs twice`);
  if (into.size >= limits.maxValues) {
    throw new TrainingError("ERR_MODEL_TOO_LARGE", `a graph has more than ${limits.maxValues} values`);
  }
  into.set(name, tensor);
}
