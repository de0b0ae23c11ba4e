/** What a model file may hold at most; models come from strangers. */
export interface ModelLimits {
  /** Bytes of the file. */
  readonly maxModelBytes: number;
  /** Nodes of all graphs together. */
  readonly maxNodes: number;
  /** Nested messages: model, graph, node, attribute, tensor; a subgraph adds three. */
  readonly maxDepth: number;
  /** Elements of one tensor or one value. */
  readonly maxElements: number;
  /** Initializers, values, inputs and outputs of one graph, each. */
  readonly maxValues: number;
  /** Inputs or outputs of one node, elements of one attribute that is a list. */
  readonly maxListLength: number;
  /** Bytes of one name. */
  readonly maxNameBytes: number;
}

/** The limits of docs/LIMITS.md: room for a model of 1 GiB and 20 000 nodes. */
export const DEFAULT_MODEL_LIMITS: ModelLimits = {
  maxModelBytes: 2 ** 30,
  maxNodes: 20_000,
  maxDepth: 24,
  maxElements: 2 ** 31 - 1,
  maxValues: 50_000,
  maxListLength: 4096,
  maxNameBytes: 1024,
};
