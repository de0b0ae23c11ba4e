export { buildBackward } from "./build-backward.ts";
export type { Profile } from "./profile.ts";
export {
  type GradientRule,
  ofOneOutput,
} from "./rule.ts";
export { GRADIENTS } from "./table.ts";
