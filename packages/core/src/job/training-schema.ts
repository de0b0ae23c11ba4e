import * as v from "valibot";
import { text, whole } from "./fields.ts";
import type {
  LossDefinition,
  OptimizerDefinition,
  ParameterGroup,
  PersonalDefinition,
  ScheduleDefinition,
  TrainingDefinition,
} from "./training-definition.ts";
import { TransformsSchema } from "./transform-definition.ts";

const finite = v.pipe(v.number("a number"), v.finite("a finite number"));

const between = (least: number, most: number) =>
  v.pipe(finite, v.minValue(least, `at least ${least}`), v.maxValue(most, `at most ${most}`));

const positive = (most: number) =>
  v.pipe(finite, v.gtValue(0, "greater than 0"), v.maxValue(most, `at most ${most}`));

/** A share that leaves something: in [0, 1). */
const share = v.pipe(finite, v.minValue(0, "at least 0"), v.ltValue(1, "less than 1"));

const PLAIN_LOSSES = [
  "binary-cross-entropy",
  "mean-squared-error",
  "mean-absolute-error",
  "kl-divergence",
] as const;
const LOSS_NAMES = ["cross-entropy", "huber", ...PLAIN_LOSSES] as const;
const oneOf = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ");
const A_LOSS = `one of ${oneOf(LOSS_NAMES)}`;

const LossSchema: v.GenericSchema<unknown, LossDefinition> = v.lazy((input) =>
  typeof input === "object" && input !== null
    ? v.variant(
        "name",
        [
          v.strictObject({
            name: v.literal("cross-entropy"),
            labelSmoothing: v.exactOptional(share),
            ignoredLabel: v.exactOptional(whole(-(2 ** 31), 2 ** 31 - 1)),
            classAxis: v.exactOptional(whole(1, 7)),
          }),
          v.strictObject({ name: v.literal("huber"), delta: v.exactOptional(positive(1e6)) }),
          v.strictObject({ name: v.picklist(PLAIN_LOSSES) }),
        ],
        A_LOSS,
      )
    : v.picklist(LOSS_NAMES, A_LOSS),
);

const common = { learningRate: positive(1000), weightDecay: v.exactOptional(between(0, 1)) };
const epsilon = v.exactOptional(positive(1));

const OptimizerSchema: v.GenericSchema<unknown, OptimizerDefinition> = v.variant(
  "name",
  [
    v.strictObject({
      ...{ name: v.literal("sgd"), ...common },
      momentum: share,
      nesterov: v.exactOptional(v.boolean("true or false")),
    }),
    v.strictObject({
      ...{ name: v.picklist(["adam", "adamw"]), ...common },
      ...{ beta1: v.exactOptional(share), beta2: v.exactOptional(share), epsilon },
    }),
    v.strictObject({ name: v.literal("adagrad"), ...common, epsilon }),
    v.strictObject({
      ...{ name: v.literal("rmsprop"), ...common, epsilon },
      ...{ smoothing: v.exactOptional(share), momentum: v.exactOptional(share) },
    }),
    v.strictObject({
      ...{ name: v.literal("lion"), ...common },
      ...{ beta1: v.exactOptional(share), beta2: v.exactOptional(share) },
    }),
  ],
  `one of ${oneOf(["sgd", "adam", "adamw", "adagrad", "rmsprop", "lion"])}`,
);

const epochs = positive(1_000_000);
const warmup = { warmupEpochs: v.exactOptional(between(0, 1_000_000)) };
const fall = { ...warmup, epochs, floor: v.exactOptional(between(0, 1)) };

const ScheduleSchema: v.GenericSchema<unknown, ScheduleDefinition> = v.variant(
  "name",
  [
    v.strictObject({ name: v.literal("constant"), ...warmup }),
    v.strictObject({
      ...{ name: v.literal("step"), ...warmup, everyEpochs: epochs },
      factor: v.pipe(finite, v.gtValue(0, "greater than 0"), v.ltValue(1, "less than 1")),
    }),
    v.strictObject({ name: v.picklist(["cosine", "linear"]), ...fall }),
  ],
  `one of ${oneOf(["constant", "step", "cosine", "linear"])}`,
);

// A site holds every name of its model against every pattern: few enough that this is never work.
const patterns = v.pipe(
  v.array(text(1, 256), "a list"),
  v.minLength(1, "at least 1 name"),
  v.maxLength(64, "at most 64 names"),
);

const GroupSchema: v.GenericSchema<unknown, ParameterGroup> = v.strictObject({
  parameters: patterns,
  learningRateFactor: v.exactOptional(between(0, 1000)),
  weightDecay: v.exactOptional(between(0, 1)),
});

const PersonalSchema: v.GenericSchema<unknown, PersonalDefinition> = v.variant(
  "name",
  [
    v.strictObject({ name: v.literal("layers"), parameters: patterns }),
    v.strictObject({ name: v.literal("ditto"), strength: positive(1e6) }),
  ],
  'one of "layers", "ditto"',
);

/** How each site trains, as it comes from outside. */
export const TrainingSchema: v.GenericSchema<unknown, TrainingDefinition> = v.strictObject({
  loss: LossSchema,
  optimizer: OptimizerSchema,
  batchSize: whole(1, 65_536),
  localEpochs: whole(1, 1000),
  schedule: v.exactOptional(ScheduleSchema),
  groups: v.exactOptional(v.pipe(v.array(GroupSchema, "a list"), v.maxLength(16, "at most 16 groups"))),
  clippingNorm: v.exactOptional(positive(1e9)),
  batchesPerUpdate: v.exactOptional(whole(1, 4096)),
  proximal: v.exactOptional(positive(1e6)),
  transforms: v.exactOptional(TransformsSchema),
  personal: v.exactOptional(PersonalSchema),
  onNotFinite: v.exactOptional(v.picklist(["fail", "skip"], 'one of "fail", "skip"')),
});
