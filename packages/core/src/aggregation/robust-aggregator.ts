import type { Bytes } from "../bytes/index.ts";
import { AggregationError } from "../errors/index.ts";
import type { TensorLayout } from "../tensor/index.ts";
import type {
  Aggregate,
  Aggregator,
  AggregatorFactory,
  AggregatorModules,
  Contribution,
} from "./aggregator.ts";
import { requireFloats, requireSummable, requireWeight, Turns } from "./checks.ts";
import type { RobustRule } from "./definition.ts";
import { Effort } from "./effort.ts";
import { infeasibility, isRobust } from "./feasibility.ts";
import { HeldUpdates } from "./held-updates.ts";
import { aggregateRound } from "./robust-round.ts";
import { floatsOf, measureUpdate } from "./update.ts";

/**
 * The rules that tolerate Byzantine sites: they look at the updates of a round together, when all are there. Until then
 * the updates lie in memory or, encrypted, in scratch space: memory is bounded whatever their number.
 */
export const robust: AggregatorFactory = (layout, modules, definition) => {
  if (definition === undefined || !isRobust(definition)) {
    throw new RangeError("a robust rule needs its definition");
  }
  return new RobustAggregator(layout, modules, definition);
};

class RobustAggregator implements Aggregator {
  readonly #layout: TensorLayout;
  readonly #modules: AggregatorModules;
  readonly #rule: RobustRule;
  readonly #turns = new Turns();
  #held: HeldUpdates;
  #weights: number[] = [];
  #norms: number[] = [];

  constructor(layout: TensorLayout, modules: AggregatorModules, rule: RobustRule) {
    requireFloats(layout);
    this.#layout = layout;
    this.#modules = modules;
    this.#rule = rule;
    this.#held = this.#nothingHeld();
  }

  measure(update: Bytes): Promise<number> {
    return measureUpdate(this.#layout, update, this.#modules);
  }

  add({ update, weight: given, admit }: Contribution): Promise<boolean> {
    return this.#turns.run(async () => {
      const weight = requireWeight(given);
      const norm = await this.measure(update);
      requireSummable(norm * norm, "its squared norm");
      const held = this.#held;
      await held.append(floatsOf(update));
      if (admit?.(norm) === false) {
        held.dropLast();
        return false;
      }
      this.#weights.push(weight);
      this.#norms.push(norm);
      return true;
    });
  }

  finish(target: Bytes = new Uint8Array(this.#layout.byteLength)): Promise<Aggregate> {
    return this.#turns.run(async () => {
      const contributions = this.#weights.length;
      if (contributions === 0)
        throw new AggregationError("ERR_AGGREGATION_EMPTY", "no contribution was added");
      if (target.byteLength !== this.#layout.byteLength)
        throw new RangeError("the target has another length");
      const problem = infeasibility(this.#rule, contributions);
      if (problem !== undefined) throw new AggregationError("ERR_AGGREGATION_INFEASIBLE", problem);
      await aggregateRound(this.#round(), floatsOf(target));
      await this.measure(target); // fails closed: no combination of such updates overflows
      const weight = this.#weights.reduce((sum, each) => sum + each, 0);
      return { update: target, weight, contributions };
    });
  }

  reset(expected?: number): void {
    this.release();
    this.#held = this.#nothingHeld(expected);
    this.#weights = [];
    this.#norms = [];
  }

  release(): void {
    // What a failed removal leaves is a file that nobody can read: its key is gone.
    this.#held.clear().catch(() => undefined);
  }

  #nothingHeld(expected = 1): HeldUpdates {
    return new HeldUpdates(this.#layout.byteLength / 4, expected, this.#modules);
  }

  #round(): Parameters<typeof aggregateRound>[0] {
    const { kernels, crypto, clock } = this.#modules;
    return {
      rule: this.#rule,
      held: this.#held,
      floats: this.#layout.byteLength / 4,
      weights: this.#weights,
      norms: this.#norms,
      kernels,
      crypto,
      effort: new Effort(clock),
    };
  }
}
