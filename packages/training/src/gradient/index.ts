export { type BackwardOptions, buildBackward } from "./build-backward.ts";
export type { Profile } from "./profile.ts";
export {
  type Backward,
  type GradientRule,
  type GradientTable,
  inputOf,
  ofOneOutput,
  outputOf,
} from "./rule.ts";
export { GRADIENTS } from "./table.ts";
