import * as v from "valibot";
import { type ErrorCode, isErrorCode } from "../errors/index.ts";
import type { Collected, Dispatch, ModelVersion } from "./workflow.ts";

// What the journal holds of each kind of context call, proved again when it is read back.

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());
const hex = (digits: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${digits}}$`)));
const siteName = v.pipe(v.string(), v.maxLength(63));

/** A model version. */
export const modelVersionSchema: v.GenericSchema<unknown, ModelVersion> = v.strictObject({
  version: natural,
  checkpoint: hex(64),
  state: v.exactOptional(hex(64)),
});

/** Names of sites. */
export const siteNamesSchema: v.GenericSchema<unknown, readonly string[]> = v.pipe(
  v.array(siteName),
  v.maxLength(10_000),
);

/** A dispatched task. */
export const dispatchSchema: v.GenericSchema<unknown, Dispatch> = v.strictObject({
  taskId: hex(32),
  order: v.strictObject({
    kind: v.picklist(["train", "evaluate"]),
    round: natural,
    model: modelVersionSchema,
    minimumContributions: v.exactOptional(natural),
    subject: v.exactOptional(v.pipe(v.string(), v.maxLength(63))),
  }),
  sites: siteNamesSchema,
  startedAtMs: natural,
});

const evaluation = v.strictObject({
  ...{ loss: finite, accuracy: finite, exampleCount: natural },
  metrics: v.exactOptional(
    v.pipe(
      v.array(v.strictObject({ name: v.pipe(v.string(), v.maxLength(64)), value: finite })),
      v.maxLength(8),
    ),
  ),
});

const cause = v.custom<ErrorCode | "">(
  (value) => value === "" || (typeof value === "string" && isErrorCode(value)),
);

const outcome = v.strictObject({
  site: siteName,
  outcome: v.picklist(["accepted", "refused", "late", "missing"]),
  cause,
  exampleCount: natural,
  trainingLoss: finite,
  norm: finite,
  digest: v.union([v.literal(""), hex(64)]),
  evaluation: v.exactOptional(evaluation),
  milliseconds: natural,
});

/** What came of a task. */
export const collectedSchema: v.GenericSchema<unknown, Collected> = v.strictObject({
  model: v.exactOptional(modelVersionSchema),
  outcomes: v.pipe(v.array(outcome), v.maxLength(10_000)),
  evaluation: v.exactOptional(evaluation),
  endedAtMs: natural,
});
