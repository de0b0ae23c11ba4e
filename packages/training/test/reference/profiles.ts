import type { Profile } from "../../src/gradient/index.ts";
import { GRADIENT_CASES } from "./cases.ts";
import { buildCase, type GradientCase } from "./check-gradient.ts";

const PROFILES: readonly Profile[] = ["cpu", "cuda", "wasm", "webgpu"];

function written(sample: GradientCase, profile: Profile): string {
  const { nodes } = buildCase(sample, { profile }).builder;
  return JSON.stringify(nodes.map(({ node }) => [node, [...node.attributes]]));
}

/** Every case for the CPU, and those for another provider whose graphs differ from the ones before it. */
export const PROFILE_CASES: readonly (GradientCase & { readonly profile: Profile })[] =
  GRADIENT_CASES.flatMap((sample) => {
    const seen = new Set<string>();
    return PROFILES.flatMap((profile) => {
      const graph = written(sample, profile);
      if (seen.has(graph)) return [];
      seen.add(graph);
      return [{ ...sample, profile }];
    });
  });
