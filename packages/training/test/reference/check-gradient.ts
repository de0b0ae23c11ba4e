import { buildBackward, type GradientRule, type Profile } from "../../src/gradient/index.ts";
import { type AddOptions, GraphBuilder } from "../../src/graph/index.ts";
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
  /** Constant inputs behind the others, as integers. */
  readonly constants?: readonly (readonly number[])[];
  /** Values are drawn from the normal distribution, or are its absolute values plus a half. */
  readonly positive?: boolean;
}

/**
 * The relative error of the rules' gradient against central differences, all in float64: along a random direction d
 * through all inputs, (f(x + hd) - f(x - hd)) / 2h with f = Σ c · y for random c, against ∇f · d.
 */
export function gradientError(
  sample: GradientCase,
  { profile, rules }: { profile: Profile; rules?: ReadonlyMap<string, GradientRule> },
): number {
  const random = seededRandom(11);
  const builder = new GraphBuilder();
  const inputs = sample.inputs.map((shape, index) => builder.input(`x${index}`, { dtype: "f32", shape }));
  const constants = (sample.constants ?? []).map((list) => builder.numbers("i64", list));
  const outputs = builder.addNode({
    name: "",
    operator: sample.operator,
    inputs: [...inputs, ...constants],
    outputs: sample.operator === "MaxPool" ? ["y", "indices"] : ["y"],
    attributes: new Map(Object.entries(sample.attributes ?? {})),
  });
  const y = outputs[0]!;
  const seed = builder.input("seed", builder.type(y));
  const gradients = buildBackward(builder, {
    ...{ output: y, gradient: seed, parameters: inputs, profile },
    ...(rules === undefined ? {} : { rules }),
  });
  const draw = (shape: readonly number[]): Value =>
    makeValue(shape, () => (sample.positive ? Math.abs(random.normal()) + 0.5 : random.normal()));
  const point = new Map(inputs.map((name) => [name, draw(builder.shape(name))]));
  const direction = new Map(
    inputs.map((name) => [name, makeValue(builder.shape(name), () => random.normal())]),
  );
  const weights = makeValue(builder.shape(y), () => random.normal());
  const h = 1e-5;
  const at = (step: number): ReadonlyMap<string, Value> => {
    const moved = [...point].map(([name, value]): [string, Value] => [
      name,
      makeValue(value.shape, (index) => value.data[index]! + step * direction.get(name)!.data[index]!),
    ]);
    return interpret(builder, new Map([...moved, [seed, weights]]));
  };
  const dot = (left: Value, right: Value): number =>
    left.data.reduce((sum, value, index) => sum + value * right.data[index]!, 0);
  const differences = (dot(at(h).get(y)!, weights) - dot(at(-h).get(y)!, weights)) / (2 * h);
  const values = at(0);
  const slope = inputs.reduce((sum, name) => {
    const gradient = values.get(gradients.get(name)!)!;
    if (gradient.shape.join() !== builder.shape(name).join())
      throw new Error(`gradient of ${name}: [${gradient.shape}]`);
    return sum + dot(gradient, direction.get(name)!);
  }, 0);
  return Math.abs(slope - differences) / Math.max(1e-6, Math.abs(differences), Math.abs(slope));
}
