import type { GraphBuilder, ValueType } from "../graph/index.ts";
import type { CompiledStep, Port, ScalarInput, StateSlot } from "./compiled.ts";
import { portOf } from "./frame.ts";

/** An f32 scalar. */
export const SCALAR: ValueType = { dtype: "f32", shape: [] };

/** A tensor that goes into a step and comes out changed. */
interface Kept {
  readonly parameter: string;
  readonly role: StateSlot["role"];
  readonly input: string;
  /** Its value after the step. */
  readonly after: string;
}

/** Collects the inputs and outputs of a step while its nodes are added. */
export class StepPorts {
  readonly #builder: GraphBuilder;
  readonly #slots: StateSlot[] = [];
  readonly #outputs = new Map<string, string>();
  readonly #scalars = new Map<string, ScalarInput>();
  readonly #references = new Map<string, Port>();
  readonly #corrections = new Map<string, Port>();

  /** @param builder where inputs are declared */
  constructor(builder: GraphBuilder) {
    this.#builder = builder;
  }

  /** Values inside by the names of outputs. */
  get outputs(): ReadonlyMap<string, string> {
    return this.#outputs;
  }

  /** Parameters first. */
  get ports(): Pick<CompiledStep, "states" | "scalars" | "references" | "corrections"> {
    return {
      states: [
        ...this.#slots.filter(({ role }) => role === "parameter"),
        ...this.#slots.filter(({ role }) => role !== "parameter"),
      ],
      scalars: [...this.#scalars.values()],
      references: this.#references,
      corrections: this.#corrections,
    };
  }

  /** Declares what is fed back. */
  keep({ parameter, role, input, after }: Kept): void {
    const output = this.#builder.freeName(`${input}/next`);
    this.#slots.push({ ...this.#builder.type(input), input, output, parameter, role });
    this.#outputs.set(output, after);
  }

  /** A scalar that depends on the number of the update; one for all parameters. @returns its name */
  scalar(name: string, at: (update: number) => number): string {
    const known = this.#scalars.get(name);
    if (known !== undefined) return known.name;
    const input = this.#builder.input(`photinus/${name}`, SCALAR);
    this.#scalars.set(name, { ...portOf(this.#builder, input), at });
    return input;
  }

  /** The received value of a parameter. @returns its name */
  reference(parameter: string, type: ValueType): string {
    return this.#fixed(this.#references, "reference", { parameter, type });
  }

  /** What is added to the gradient of a parameter. @returns its name */
  correction(parameter: string, type: ValueType): string {
    return this.#fixed(this.#corrections, "correction", { parameter, type });
  }

  /** An output that is only read. */
  report(name: string, value: string): Port {
    const output = this.#builder.freeName(name);
    this.#outputs.set(output, value);
    return { name: output, ...this.#builder.type(value) };
  }

  #fixed(
    ports: Map<string, Port>,
    kind: string,
    { parameter, type }: { parameter: string; type: ValueType },
  ): string {
    const input = this.#builder.input(`photinus/${kind}/${parameter}`, type);
    ports.set(parameter, portOf(this.#builder, input));
    return input;
  }
}
