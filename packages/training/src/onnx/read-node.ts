import { TrainingError } from "@photinus/core/errors";
import type { ModelLimits } from "./limits.ts";
import type { Attribute, Graph, Node } from "./model.ts";
import { malformed, type ProtoReader, readNumbers } from "./proto-reader.ts";
import { readTensor } from "./read-tensor.ts";

/** How deep the reader is, how many nodes it has read, and what a file may hold. */
export interface ReadContext {
  /** What a file may hold. */
  readonly limits: ModelLimits;
  /** Nested messages around this one. */
  readonly depth: number;
  /** Counts the nodes of all graphs of the file. */
  readonly nodes: { count: number };
  /** Reads a subgraph; injected, since graphs hold nodes and nodes hold graphs. */
  readonly readGraph: (reader: ProtoReader, context: ReadContext) => Graph;
}

/** The context one message further in. @throws TrainingError `ERR_MODEL_TOO_LARGE` below the deepest level */
export function deeper(context: ReadContext): ReadContext {
  const { limits, depth } = context;
  if (depth >= limits.maxDepth) {
    throw new TrainingError("ERR_MODEL_TOO_LARGE", `messages are nested more than ${limits.maxDepth} deep`);
  }
  return { ...context, depth: depth + 1 };
}

/**
 * Reads a NodeProto.
 * @throws TrainingError `ERR_MODEL_OPERATOR` for an operator of a foreign domain
 */
export function readNode(reader: ProtoReader, context: ReadContext): Node {
  const parts: NodeParts = {
    name: "",
    operator: "",
    domain: "",
    inputs: [],
    outputs: [],
    attributes: new Map(),
  };
  while (reader.next()) readNodeField(reader, parts, context);
  const { domain, ...node } = parts;
  if (domain !== "" && domain !== "ai.onnx") {
    throw new TrainingError(
      "ERR_MODEL_OPERATOR",
      `node ${node.name}: operator ${domain}::${node.operator} is foreign`,
    );
  }
  if (node.operator === "") malformed(`node ${node.name} has no operator`);
  return node;
}

interface NodeParts {
  name: string;
  operator: string;
  domain: string;
  readonly inputs: string[];
  readonly outputs: string[];
  readonly attributes: Map<string, Attribute>;
}

function readNodeField(reader: ProtoReader, parts: NodeParts, context: ReadContext): void {
  const { limits } = context;
  switch (reader.field) {
    case 1:
      pushName(parts.inputs, reader, limits);
      return;
    case 2:
      pushName(parts.outputs, reader, limits);
      return;
    case 3:
      parts.name = reader.text(limits.maxNameBytes);
      return;
    case 4:
      parts.operator = reader.text(limits.maxNameBytes);
      return;
    case 5:
      addAttribute(parts.attributes, readAttribute(reader.message(), deeper(context)), limits);
      return;
    case 7:
      parts.domain = reader.text(limits.maxNameBytes);
      return;
    default:
      reader.skip();
  }
}

function pushName(into: string[], reader: ProtoReader, limits: ModelLimits): void {
  into.push(reader.text(limits.maxNameBytes));
  if (into.length > limits.maxListLength) {
    throw new TrainingError("ERR_MODEL_TOO_LARGE", `a node has more than ${limits.maxListLength} values`);
  }
}

type NamedAttribute = readonly [name: string, attribute: Attribute];

function addAttribute(
  into: Map<string, Attribute>,
  [name, attribute]: NamedAttribute,
  limits: ModelLimits,
): void {
  if (into.has(name)) malformed(`attribute ${name} occurs twice`);
  if (into.size >= limits.maxListLength) {
    throw new TrainingError("ERR_MODEL_TOO_LARGE", `a node has more than ${limits.maxListLength} attributes`);
  }
  into.set(name, attribute);
}

interface AttributeParts {
  name: string;
  type: number;
  float: number;
  int: number;
  text: string;
  tensor: Attribute | undefined;
  graph: Attribute | undefined;
  readonly floats: number[];
  readonly ints: number[];
  readonly texts: string[];
}

function readAttribute(reader: ProtoReader, context: ReadContext): NamedAttribute {
  const parts: AttributeParts = {
    name: "",
    type: 0,
    float: 0,
    int: 0,
    text: "",
    tensor: undefined,
    graph: undefined,
    floats: [],
    ints: [],
    texts: [],
  };
  while (reader.next()) readAttributeField(reader, parts, context);
  const attribute = attributeOf(parts);
  if (attribute === undefined) malformed(`attribute ${parts.name} has type ${parts.type}`);
  return [parts.name, attribute];
}

function readAttributeField(reader: ProtoReader, parts: AttributeParts, context: ReadContext): void {
  const { limits } = context;
  const limit = limits.maxListLength;
  switch (reader.field) {
    case 1:
      parts.name = reader.text(limits.maxNameBytes);
      return;
    case 2:
      parts.float = reader.float();
      return;
    case 3:
      parts.int = reader.openInteger();
      return;
    case 4:
      parts.text = reader.text(limits.maxNameBytes);
      return;
    case 5:
      parts.tensor = { kind: "tensor", value: readTensor(reader.message(), limits).tensor };
      return;
    case 6:
      parts.graph = { kind: "graph", value: context.readGraph(reader.message(), deeper(context)) };
      return;
    case 7:
      readNumbers(reader, parts.floats, { read: (from) => from.float(), limit });
      return;
    case 8:
      readNumbers(reader, parts.ints, { read: (from) => from.openInteger(), limit });
      return;
    case 9:
      pushName(parts.texts, reader, limits);
      return;
    case 20:
      parts.type = reader.integer();
      return;
    case 21:
      malformed("references to the attributes of a function are not supported");
      return;
    default:
      reader.skip();
  }
}

/** By AttributeProto.AttributeType; undefined for lists of tensors or graphs, sparse tensors and type protos. */
function attributeOf(parts: AttributeParts): Attribute | undefined {
  switch (parts.type) {
    case 1:
      return { kind: "float", value: parts.float };
    case 2:
      return { kind: "int", value: parts.int };
    case 3:
      return { kind: "text", value: parts.text };
    case 4:
      return parts.tensor;
    case 5:
      return parts.graph;
    case 6:
      return { kind: "floats", value: parts.floats };
    case 7:
      return { kind: "ints", value: parts.ints };
    case 8:
      return { kind: "texts", value: parts.texts };
    default:
      return undefined;
  }
}
