import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { JobError, MessageError } from "../errors/index.ts";
import { MAX_TENSORS, parseAs } from "../message/index.ts";
import {
  isDType,
  isFloatDType,
  layoutOf,
  MAX_RANK,
  matchesPattern,
  type ParameterDescriptor,
  type TensorLayout,
} from "../tensor/index.ts";
import type { JobDefinition } from "./definition.ts";
import { parseJobDefinition } from "./parse-definition.ts";
import type { TrainingDefinition } from "./training-definition.ts";

/** What the job says of a byte string that travels beside it. */
export interface JobContent {
  /** SHA-256 of the bytes: 32 bytes. */
  readonly digest: Bytes;
  /** Bytes. */
  readonly byteLength: number;
}

/** Payload of the job OBJECT: everything that the submitter signs. */
export interface JobPayload {
  /** What the job is. */
  readonly definition: JobDefinition;
  /** The parameter table of the model, in the order of its bytes. */
  readonly parameters: readonly ParameterDescriptor[];
  /** The forward ONNX graph. */
  readonly graph: JobContent;
  /** The packed initial parameters. */
  readonly initialParameters: JobContent;
  /** Id of the job that it was cloned from, whose graph and parameters it has; absent of a job that is no clone. */
  readonly clonedFrom?: string;
}

const content: v.GenericSchema<unknown, JobContent> = v.strictObject({
  digest: v.custom<Bytes>((value) => value instanceof Uint8Array && value.byteLength === 32, "32 bytes"),
  byteLength: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(2 ** 32)),
});

const dimension = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(2 ** 31));

const descriptor: v.GenericSchema<unknown, ParameterDescriptor> = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
  dtype: v.custom<ParameterDescriptor["dtype"]>(isDType, "a dtype"),
  shape: v.pipe(v.array(dimension), v.maxLength(MAX_RANK)),
  trainable: v.boolean(),
});

const PayloadSchema = v.strictObject({
  definition: v.unknown(),
  parameters: v.pipe(v.array(descriptor), v.minLength(1), v.maxLength(MAX_TENSORS)),
  graph: content,
  initialParameters: content,
  clonedFrom: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/))),
});

/**
 * The decoded payload of a job OBJECT.
 * @throws JobError `ERR_JOB_INVALID` naming the first bad field
 */
export function parseJobPayload(value: unknown): JobPayload {
  const outline = asJobError(() => parseAs("job", PayloadSchema, value));
  const payload: JobPayload = { ...outline, definition: parseJobDefinition(outline.definition) };
  requireSoundTable(payload);
  return payload;
}

function asJobError<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof MessageError) throw new JobError("ERR_JOB_INVALID", error.message);
    throw error;
  }
}

function requireSoundTable({ definition, parameters, initialParameters }: JobPayload): void {
  const names = new Set(parameters.map(({ name }) => name));
  if (names.size !== parameters.length) throw invalid("a parameter name occurs twice");
  if (!parameters.some(({ trainable }) => trainable)) throw invalid("no parameter is trainable");
  // Deltas are summed in float32; another trainable dtype is refused rather than rounded in silence.
  const odd = parameters.find(({ trainable, dtype }) => trainable && dtype !== "f32");
  if (odd !== undefined) {
    const what = isFloatDType(odd.dtype) ? "f32" : "a float (f32)";
    throw invalid(`trainable parameter ${odd.name} must be ${what}, got ${odd.dtype}`);
  }
  requireSoundUpdate({ definition, parameters });
  const { byteLength } = layoutOfTable(parameters);
  if (byteLength !== initialParameters.byteLength) {
    throw invalid(`initialParameters must have ${byteLength} bytes (got ${initialParameters.byteLength})`);
  }
}

/** Something is sent and, where layers are personal, something stays; names and number of tensors are what a contribution may have. */
function requireSoundUpdate({ definition, parameters }: UpdatedJob): void {
  const { personal } = definition.training;
  const { tensors } = layoutOfUpdate({ definition, parameters });
  if (tensors.length === 0) throw invalid("training.personal leaves nothing to send");
  if (
    personal?.name === "layers" &&
    !parameters.some((one) => one.trainable && isPersonal(one.name, { personal }))
  )
    throw invalid("training.personal names no trainable parameter");
  if (tensors.length > MAX_TENSORS)
    throw invalid(`an update has ${tensors.length} tensors, at most ${MAX_TENSORS}`);
  const long = tensors.find(({ name }) => name.length > 256);
  if (long !== undefined) throw invalid(`the name of ${long.name.slice(0, 40)}… is too long for an update`);
  if (new Set(tensors.map(({ name }) => name)).size !== tensors.length)
    throw invalid("a parameter has the name of the control variate of another");
}

/** The layout of a whole model of this parameter table. @throws JobError `ERR_JOB_INVALID` for impossible shapes */
export function layoutOfTable(parameters: readonly ParameterDescriptor[]): TensorLayout {
  try {
    return layoutOf(parameters);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new JobError("ERR_JOB_INVALID", `parameters: ${cause.message}`, { cause });
  }
}

/** What the name of a tensor's control variate begins with in an update of SCAFFOLD. */
export const CONTROL_PREFIX = "control/";

/** True for a tensor that stays at each site. */
export function isPersonal(name: string, { personal }: Pick<TrainingDefinition, "personal">): boolean {
  return personal?.name === "layers" && personal.parameters.some((pattern) => matchesPattern(pattern, name));
}

/** The layout of what an update changes of the model: the trainable tensors that sites share. */
export function layoutOfChange({ parameters, definition }: UpdatedJob): TensorLayout {
  const { training } = definition;
  return layoutOfTable(parameters.filter(({ trainable, name }) => trainable && !isPersonal(name, training)));
}

/** The layout of a control variate of SCAFFOLD: the trainable tensors. */
export function layoutOfControl(parameters: readonly ParameterDescriptor[]): TensorLayout {
  return layoutOfTable(parameters.filter(({ trainable }) => trainable));
}

/** The layout of an update of this job: the change of the model and, behind it, what the workflow has sites send besides. */
export function layoutOfUpdate(job: UpdatedJob): TensorLayout {
  const change = layoutOfChange(job);
  if (job.definition.workflow.name !== "scaffold") return change;
  const control = layoutOfControl(job.parameters).tensors.map((tensor) => ({
    ...tensor,
    name: `${CONTROL_PREFIX}${tensor.name}`,
  }));
  return layoutOfTable([...change.tensors, ...control].map((tensor) => ({ ...tensor, trainable: true })));
}

/** What of a job its updates depend on. */
export interface UpdatedJob {
  /** The parameter table of the model. */
  readonly parameters: readonly ParameterDescriptor[];
  /** What the job is. */
  readonly definition: Pick<JobDefinition, "training" | "workflow">;
}

function invalid(what: string): JobError {
  return new JobError("ERR_JOB_INVALID", what);
}
