import * as v from "valibot";
import { text, whole } from "./fields.ts";

/** What transforms have in common. */
interface OfOneInput {
  /** The feature that is changed, by the name of the model's input. Default: the only one. */
  readonly input?: string;
}

/** What is done with each example on its way to the model, the same at every site. */
export type TransformDefinition =
  | (OfOneInput & {
      /** (x - mean) / deviation; f32. */
      readonly name: "normalize";
      /** One number for all, or one for each position along the first axis of an example; at most 4 096. */
      readonly mean: readonly number[];
      /** As many as `mean`, each > 0. */
      readonly deviation: readonly number[];
    })
  | (OfOneInput & {
      /** Puts a number where one is missing; f32. */
      readonly name: "impute";
      /** One number for all, or one for each position along the first axis of an example; at most 4 096. */
      readonly value: readonly number[];
    })
  | (OfOneInput & {
      /** A class id becomes as many numbers as there are classes: 1 at its own place, 0 elsewhere. */
      readonly name: "one-hot";
      /** 2 to 65 536. */
      readonly classes: number;
    })
  | (OfOneInput & {
      /** In training, a picture [channels, rows, columns] is moved by up to `padding` pixels each way; zeros move in. */
      readonly name: "crop";
      /** 1 to 1 024. */
      readonly padding: number;
    })
  | (OfOneInput & {
      /** In training, half of the pictures [channels, rows, columns] are mirrored. */
      readonly name: "flip";
      /** `horizontal` changes left and right. */
      readonly direction: "horizontal" | "vertical";
    });

const number = v.pipe(v.number("a number"), v.finite("a finite number"));
const numbers = <T extends v.GenericSchema<unknown, number>>(item: T) =>
  v.pipe(v.array(item, "a list of numbers"), v.minLength(1, "at least 1"), v.maxLength(4096, "at most 4096"));
const positive = v.pipe(number, v.gtValue(0, "greater than 0"));
const input = v.exactOptional(text(1, 256));

const TransformSchema: v.GenericSchema<unknown, TransformDefinition> = v.variant(
  "name",
  [
    v.strictObject({
      ...{ name: v.literal("normalize"), input },
      ...{ mean: numbers(number), deviation: numbers(positive) },
    }),
    v.strictObject({ name: v.literal("impute"), input, value: numbers(number) }),
    v.strictObject({ name: v.literal("one-hot"), input, classes: whole(2, 65_536) }),
    v.strictObject({ name: v.literal("crop"), input, padding: whole(1, 1024) }),
    v.strictObject({
      ...{ name: v.literal("flip"), input },
      direction: v.picklist(["horizontal", "vertical"], 'one of "horizontal", "vertical"'),
    }),
  ],
  'one of "normalize", "impute", "one-hot", "crop", "flip"',
);

/** Transforms as they come from outside. */
export const TransformsSchema: v.GenericSchema<unknown, readonly TransformDefinition[]> = v.pipe(
  v.array(TransformSchema, "a list"),
  v.maxLength(16, "at most 16 transforms"),
);
