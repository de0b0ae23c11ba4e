import { Tensor } from "@photinus/core/tensor";
import { buildBackward, type GradientRule, type Profile } from "../../src/gradient/index.ts";
import { type AddOptions, addForward, GraphBuilder } from "../../src/graph/index.ts";
import type { Node } from "../../src/onnx/index.ts";
import { seededRandom } from "../../src/random.ts";
import { interpret } from "./interpret.ts";
import { makeValue, type Value } from "./value.ts";

/** One operator in one form. */
export interface GradientCase {
  readonly operator: string;
  /** Distinguishes the forms of one operator. */
  readonly form: string;
  /** Shapes of the inputs that are differentiated. */
  readonly inputs: readonly (readonly number[])[];
  readonly attributes?: AddOptions["attributes"];
  /** Constant inputs behind the others: integers, or whole tensors. */
  readonly constants?: readonly (readonly number[] | Tensor)[];
  /** The inputs by place: "x0" is the first differentiated one, "c0" the first constant, "" is left out. */
  readonly places?: readonly string[];
  /** Outputs that are asked for; the gradient starts from the last of them. Default: one. */
  readonly outputs?: number;
  /** Operator set that the case is written in. Default: 20. */
  readonly opset?: number;
  /** As a model is imported. Default: training. */
  readonly mode?: "training" | "evaluation";
  /** True where onnxruntime has no kernel of the operator itself in this form, so that its forward has no other witness. */
  readonly alone?: boolean;
  /** Values are drawn from the normal distribution, or are its absolute values plus a half. */
  readonly positive?: boolean;
  /** Providers of ONNX Runtime 1.30 that have no kernel for what the gradient needs. */
  readonly lacking?: readonly Profile[];
}

/** The graph of a case: the operator, and the gradients of Σ seed · y by its inputs. */
export interface GradientGraph {
  readonly builder: GraphBuilder;
  /** Names of the differentiated inputs. */
  readonly inputs: readonly string[];
  readonly output: string;
  /** Name of the input that the gradient starts from, of the shape of the output. */
  readonly seed: string;
  /** Names of the gradients, in the order of the inputs. */
  readonly gradients: readonly string[];
}

/** Builds the graph of `sample` with the rules that `profile` gets. */
export function buildCase(
  sample: GradientCase,
  { profile, rules }: { profile: Profile; rules?: ReadonlyMap<string, GradientRule> },
): GradientGraph {
  const builder = new GraphBuilder();
  const inputs = sample.inputs.map((shape, index) => builder.input(`x${index}`, { dtype: "f32", shape }));
  const constants = (sample.constants ?? []).map((given) =>
    given instanceof Tensor ? builder.constant(given) : builder.numbers("i64", given),
  );
  const outputs = addForward(builder, nodeOf(sample, { inputs, constants }), {
    opset: sample.opset ?? 20,
    mode: sample.mode ?? "training",
    isTrained: () => false,
    updateStatistic: () => undefined,
    mask: (shape) => builder.input("mask", { dtype: "f32", shape }),
  });
  const output = outputs[(sample.outputs ?? 1) - 1]!;
  const seed = builder.input("seed", builder.type(output));
  const gradients = buildBackward(builder, {
    ...{ output, gradient: seed, parameters: inputs, profile },
    ...(rules === undefined ? {} : { rules }),
  });
  return {
    builder,
    inputs,
    output,
    seed,
    gradients: inputs.map((input) => gradients.get(input) ?? zeros(builder, input)),
  };
}

/** What an input that the output does not depend on has for a gradient. */
function zeros(builder: GraphBuilder, input: string): string {
  return builder.add("Mul", [input, builder.numbers("f32", 0)]);
}

/** The node of a case, of inputs with these names. */
export function nodeOf(
  sample: GradientCase,
  { inputs, constants }: { inputs: readonly string[]; constants: readonly string[] },
): Node {
  const named = (place: string): string =>
    place === "" ? "" : (place.startsWith("x") ? inputs : constants)[Number(place.slice(1))]!;
  return {
    name: "",
    operator: sample.operator,
    inputs: sample.places?.map(named) ?? [...inputs, ...constants],
    outputs: Array.from({ length: sample.outputs ?? 1 }, (_, index) => `y${index}`),
    attributes: new Map(Object.entries(sample.attributes ?? {})),
  };
}

/** Where the inputs of a case are, and the weights of its output. The same every time. */
export function drawPoint(
  sample: GradientCase,
  { builder, inputs, output, seed }: GradientGraph,
): Map<string, Value> {
  const random = seededRandom(11);
  const draw = (): number => (sample.positive ? Math.abs(random.normal()) + 0.5 : random.normal());
  const point = new Map(inputs.map((name) => [name, makeValue(builder.shape(name), draw)]));
  const mask = builder.nodes.flatMap(({ node }) => node.inputs).find((input) => input === "mask");
  if (mask !== undefined) {
    point.set(
      mask,
      makeValue(builder.shape(mask), () => (random.uniform() < 0.4 ? 0 : 1 / 0.6)),
    );
  }
  return point.set(
    seed,
    makeValue(builder.shape(output), () => random.normal()),
  );
}

const dot = (left: Value, right: Value): number =>
  left.data.reduce((sum, value, index) => sum + value * right.data[index]!, 0);

/**
 * The relative error of the rules' gradient against central differences, all in float64: along a random direction d
 * through all inputs, (f(x + hd) - f(x - hd)) / 2h with f = Σ seed · y, against ∇f · d; the worst of three directions.
 */
export function gradientError(
  sample: GradientCase,
  options: { profile: Profile; rules?: ReadonlyMap<string, GradientRule> },
): number {
  const graph = buildCase(sample, options);
  const point = drawPoint(sample, graph);
  const values = interpret(graph.builder, point);
  const gradients = graph.inputs.map((name, index) => {
    const gradient = values.get(graph.gradients[index]!)!;
    const shape = graph.builder.shape(name);
    if (gradient.shape.join() !== shape.join()) throw new Error(`gradient of ${name}: [${gradient.shape}]`);
    return gradient;
  });
  return Math.max(...[12, 13, 14].map((seed) => errorAlong(graph, { point, gradients, seed })));
}

const H = 1e-5;

function errorAlong(
  { builder, inputs, output, seed }: GradientGraph,
  at: { point: ReadonlyMap<string, Value>; gradients: readonly Value[]; seed: number },
): number {
  const random = seededRandom(at.seed);
  const direction = new Map(
    inputs.map((name) => [name, makeValue(builder.shape(name), () => random.normal())]),
  );
  const weighted = (step: number): number => {
    const moved = [...at.point].map(([name, value]): [string, Value] => {
      const along = direction.get(name);
      return [name, makeValue(value.shape, (index) => value.data[index]! + step * (along?.data[index] ?? 0))];
    });
    return dot(interpret(builder, new Map(moved)).get(output)!, at.point.get(seed)!);
  };
  const differences = (weighted(H) - weighted(-H)) / (2 * H);
  const slope = inputs.reduce((sum, name, index) => sum + dot(at.gradients[index]!, direction.get(name)!), 0);
  return Math.abs(slope - differences) / Math.max(1e-6, Math.abs(differences), Math.abs(slope));
}
