import { createRegistry, type Decomposer, type DecomposerRegistry } from "../decomposer.ts";
import { bigintDecomposer } from "./bigint.ts";
import { mapDecomposer, setDecomposer } from "./collections.ts";
import { dateDecomposer } from "./date.ts";
import { parameterSetDecomposer, tensorDecomposer } from "./tensor.ts";
import { typedArrayDecomposers } from "./typed-arrays.ts";

/** Decomposers of Date, Set, Map, bigint, the typed arrays, Tensor and ParameterSet. */
export function builtInDecomposers(): readonly Decomposer[] {
  return [
    bigintDecomposer,
    dateDecomposer,
    setDecomposer,
    mapDecomposer,
    tensorDecomposer,
    parameterSetDecomposer,
    ...typedArrayDecomposers(),
  ];
}

/** A registry of the built-in decomposers and `more`. @throws RangeError as {@link createRegistry} does */
export function builtInRegistry(...more: readonly Decomposer[]): DecomposerRegistry {
  return createRegistry([...builtInDecomposers(), ...more]);
}
