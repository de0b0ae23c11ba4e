import { ELEMENTWISE } from "./elementwise.ts";
import type { Evaluate } from "./evaluate.ts";
import { INDEXING } from "./indexing.ts";
import { LINEAR } from "./linear.ts";
import { REDUCTION } from "./reduction.ts";
import { VIEW } from "./view.ts";
import { WINDOW } from "./window.ts";

export { splitParts } from "./view.ts";
export { maxPoolIndices } from "./window.ts";

/** Every operator of the reference by name. */
export const EVALUATE: Readonly<Record<string, Evaluate>> = {
  ...ELEMENTWISE,
  ...INDEXING,
  ...LINEAR,
  ...REDUCTION,
  ...VIEW,
  ...WINDOW,
};
