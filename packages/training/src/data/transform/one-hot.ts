import { elementCount } from "@photinus/core/tensor";
import { malformed } from "../idx.ts";
import { type Stage, type StageContext, unfit } from "./stage.ts";

/** Most numbers that one example may become. */
const MAX_NUMBERS = 2 ** 24;

/** A class id becomes 1 at its own place of as many as there are classes. */
export function oneHot({ classes }: { readonly classes: number }, { feature }: StageContext): Stage {
  const { name, dtype, shape } = feature;
  if (dtype !== "i32" && dtype !== "i64") unfit(feature, "one-hot", "i32 or i64");
  const length = elementCount(shape) * classes;
  if (length > MAX_NUMBERS) unfit(feature, "one-hot", `at most ${MAX_NUMBERS} numbers of an example`);
  return {
    feature: { name, dtype: "f32", shape: [...shape, classes] },
    apply: (values, count) => {
      const numbers = new Float32Array(count * length);
      values.forEach((value: number | bigint, index: number) => {
        const id = Number(value);
        if (id < 0 || id >= classes) malformed(name, `a class id is ${id}, expected 0 to ${classes - 1}`);
        numbers[index * classes + id] = 1;
      });
      return numbers;
    },
  };
}
