import type { OptimizerConstants } from "@photinus/core/job";

/** One number of a model on its way down. */
export interface Walker {
  value: number;
  readonly memory: Record<string, number>;
}

/** The step of one number in float64, as the papers write it: nothing is shared with the graphs. */
export function walk(
  walker: Walker,
  gradient: number,
  { constants, rate, update }: { constants: OptimizerConstants; rate: number; update: number },
): void {
  const { memory } = walker;
  const decay = constants.weightDecay ?? 0;
  const old = (name: string): number => memory[name] ?? 0;
  switch (constants.name) {
    case "sgd": {
      const g = gradient + decay * walker.value;
      memory["v"] = constants.momentum * old("v") + g;
      walker.value -= rate * (constants.nesterov ? g + constants.momentum * old("v") : old("v"));
      return;
    }
    case "adam":
    case "adamw": {
      const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = constants;
      const isDecoupled = constants.name === "adamw";
      const g = isDecoupled ? gradient : gradient + decay * walker.value;
      memory["m"] = beta1 * old("m") + (1 - beta1) * g;
      memory["v"] = beta2 * old("v") + (1 - beta2) * g * g;
      const mean = old("m") / (1 - beta1 ** update);
      const square = old("v") / (1 - beta2 ** update);
      walker.value -=
        rate * (mean / (Math.sqrt(square) + epsilon) + (isDecoupled ? decay * walker.value : 0));
      return;
    }
    case "adagrad": {
      const { epsilon = 1e-10 } = constants;
      const g = gradient + decay * walker.value;
      memory["G"] = old("G") + g * g;
      walker.value -= (rate * g) / (Math.sqrt(old("G")) + epsilon);
      return;
    }
    case "rmsprop": {
      const { smoothing = 0.99, momentum = 0, epsilon = 1e-8 } = constants;
      const g = gradient + decay * walker.value;
      memory["v"] = smoothing * old("v") + (1 - smoothing) * g * g;
      memory["b"] = momentum * old("b") + g / (Math.sqrt(old("v")) + epsilon);
      walker.value -= rate * old("b");
      return;
    }
    case "lion": {
      const { beta1 = 0.9, beta2 = 0.99 } = constants;
      const direction = Math.sign(beta1 * old("m") + (1 - beta1) * gradient);
      walker.value -= rate * (direction + decay * walker.value);
      memory["m"] = beta2 * old("m") + (1 - beta2) * gradient;
      return;
    }
  }
}
