import type { LossDefinition, LossOptions } from "@photinus/core/job";
import { binaryCrossEntropy } from "./binary-cross-entropy.ts";
import { crossEntropy } from "./cross-entropy.ts";
import { huber } from "./huber.ts";
import { klDivergence } from "./kl-divergence.ts";
import type { Loss } from "./loss.ts";
import { meanAbsoluteError } from "./mean-absolute-error.ts";
import { meanSquaredError } from "./mean-squared-error.ts";

export type { Loss, LossInputs, LossTypes } from "./loss.ts";

/** The loss that a job's definition names. */
export function lossOf(definition: LossDefinition): Loss {
  const options: LossOptions = typeof definition === "string" ? { name: definition } : definition;
  switch (options.name) {
    case "cross-entropy":
      return crossEntropy(options);
    case "binary-cross-entropy":
      return binaryCrossEntropy;
    case "mean-squared-error":
      return meanSquaredError;
    case "mean-absolute-error":
      return meanAbsoluteError;
    case "huber":
      return huber(options);
    case "kl-divergence":
      return klDivergence;
  }
}
