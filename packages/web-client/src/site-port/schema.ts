import type { Bytes } from "@photinus/core/bytes";
import { MessageError } from "@photinus/core/errors";
import type { SiteStatus } from "@photinus/core/site";
import * as v from "valibot";
import type {
  BrowserDevice,
  DeviceReport,
  DeviceTrial,
  Invitation,
  Proposal,
  SiteCall,
  SiteCalls,
  SiteDataFiles,
  SiteNews,
} from "./contract.ts";

/** Largest data file that a page hands over: 1 GiB. */
const MAX_DATA_BYTES = 2 ** 30;

const text = (maximum: number) => v.pipe(v.string(), v.maxLength(maximum));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const finite = v.pipe(v.number(), v.finite());
const jobId = v.pipe(v.string(), v.minLength(1), v.maxLength(128));

const data: v.GenericSchema<unknown, Bytes> = v.custom<Bytes>(
  (value) =>
    value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.byteLength <= MAX_DATA_BYTES,
);

const device: v.GenericSchema<unknown, BrowserDevice> = v.picklist(["webgpu", "wasm"]);

const trial: v.GenericSchema<unknown, DeviceTrial> = v.strictObject({
  device,
  stepsPerSecond: v.pipe(finite, v.minValue(0)),
  threads: count,
  detail: text(500),
});

const report: v.GenericSchema<unknown, DeviceReport> = v.strictObject({
  trials: v.pipe(v.array(trial), v.maxLength(4)),
  chosen: v.union([device, v.undefined()]),
});

const invitation: v.GenericSchema<unknown, Invitation> = v.strictObject({
  project: text(63),
  serverName: text(63),
  siteName: text(63),
});

const dataFiles: v.GenericSchema<unknown, SiteDataFiles> = v.strictObject({
  dataName: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)),
  trainingImages: data,
  trainingLabels: data,
  heldOutImages: v.exactOptional(data),
  heldOutLabels: v.exactOptional(data),
});

const proposal: v.GenericSchema<unknown, Proposal> = v.strictObject({
  jobId,
  name: text(100),
  purpose: text(2000),
  submitter: text(320),
  organization: text(63),
  rounds: count,
  localEpochs: count,
  batchSize: count,
  modelBytes: count,
});

/** What a credential is made for: a digest in base64url. */
export const nonceSchema: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{43}$/),
);
/** An ID token: three parts in base64url, as long as a credential may be. */
export const tokenSchema: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.maxLength(8192),
  v.regex(/^[\w-]+\.[\w-]+\.[\w-]+$/),
);

const nothing = v.null();

type Schemas = {
  readonly [Call in SiteCall]: {
    readonly request: v.GenericSchema<unknown, SiteCalls[Call]["request"]>;
    readonly reply: v.GenericSchema<unknown, SiteCalls[Call]["reply"]>;
  };
};

/** Schemas of each call. */
const CALLS: Schemas = {
  open: { request: v.strictObject({ fragment: text(4096) }), reply: invitation },
  check: {
    request: v.strictObject({ device: v.picklist(["webgpu", "wasm", "fastest"]) }),
    reply: report,
  },
  useData: { request: dataFiles, reply: nothing },
  join: { request: nothing, reply: v.strictObject({ siteName: text(63) }) },
  decide: {
    request: v.strictObject({ jobId, accepts: v.boolean(), textVersion: text(40) }),
    reply: nothing,
  },
  credential: {
    request: v.strictObject({ nonce: nonceSchema, token: v.nullable(tokenSchema) }),
    reply: nothing,
  },
  inviteDevice: { request: nothing, reply: v.strictObject({ fragment: text(4096) }) },
  pause: { request: nothing, reply: nothing },
  resume: { request: nothing, reply: nothing },
  leave: { request: nothing, reply: nothing },
};

const point = { round: count };
const evaluation = v.strictObject({ loss: finite, accuracy: finite, exampleCount: count });
const fault = v.strictObject({ code: text(64), detail: text(2000) });

const privacy = v.strictObject({
  scope: text(63),
  filters: v.pipe(
    v.array(
      v.strictObject({
        name: text(64),
        origin: v.picklist(["site", "job"]),
        numbers: v.record(text(64), finite),
      }),
    ),
    v.maxLength(64),
  ),
  tellsMetrics: v.boolean(),
  spent: v.exactOptional(v.strictObject({ epsilon: finite, budget: finite, delta: finite })),
});

const outgoing = v.strictObject({
  jobId,
  round: count,
  tensors: v.pipe(
    v.array(
      v.strictObject({
        name: text(1000),
        dtype: text(8),
        shape: v.pipe(v.array(count), v.maxLength(8)),
        norm: finite,
      }),
    ),
    v.maxLength(100_000),
  ),
  totalBytes: count,
  norm: finite,
  exampleCount: count,
  privacy,
  digest: text(64),
  receipt: v.picklist(["none", "received", "committed", "refused"]),
  cause: text(64),
});

const job = v.strictObject({
  jobId,
  name: text(100),
  purpose: text(2000),
  submitter: text(320),
  rounds: count,
  device: text(63),
  trainingExamples: count,
  heldOutExamples: count,
  round: count,
  evaluations: v.pipe(v.array(v.strictObject({ ...point, evaluation })), v.maxLength(100_001)),
  losses: v.pipe(v.array(v.strictObject({ ...point, loss: finite })), v.maxLength(100_001)),
});

/** Codes and dtypes are compared as text: the page shows them and decides nothing by them. */
const status = v.strictObject({
  activity: v.picklist([
    "stopped",
    "connecting",
    "reconnecting",
    "waiting",
    "deciding",
    "preparing",
    "evaluating",
    "training",
    "uploading",
    "refused",
  ]),
  progress: finite,
  trainingLoss: v.optional(finite),
  retryAtMs: v.optional(finite),
  fault: v.optional(fault),
  job: v.optional(job),
  outgoing: v.pipe(v.array(outgoing), v.maxLength(64)),
  committed: count,
  bytesUp: count,
  bytesDown: count,
});

const news = v.variant("kind", [
  v.strictObject({ kind: v.literal("status"), status }),
  v.strictObject({ kind: v.literal("proposal"), proposal }),
  v.strictObject({ kind: v.literal("sign-in"), nonce: v.nullable(nonceSchema) }),
]);

function parseAs<Output>(name: string, schema: v.GenericSchema<unknown, Output>, value: unknown): Output {
  const result = v.safeParse(schema, value);
  if (!result.success)
    throw new MessageError("ERR_MESSAGE_MALFORMED", `${name}: ${v.summarize(result.issues)}`);
  return result.output;
}

/** True when `name` is a call of the site worker. */
export function isSiteCall(name: string): name is SiteCall {
  return Object.hasOwn(CALLS, name);
}

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseRequest<Call extends SiteCall>(call: Call, value: unknown): SiteCalls[Call]["request"] {
  const schema: v.GenericSchema<unknown, SiteCalls[Call]["request"]> = CALLS[call].request;
  return parseAs(call, schema, value);
}

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseReply<Call extends SiteCall>(call: Call, value: unknown): SiteCalls[Call]["reply"] {
  const schema: v.GenericSchema<unknown, SiteCalls[Call]["reply"]> = CALLS[call].reply;
  return parseAs(call, schema, value);
}

/** @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field */
export function parseNews(value: unknown): SiteNews {
  const parsed = parseAs("news", news, value);
  if (parsed.kind !== "status") return parsed;
  return { kind: "status", status: parsed.status as SiteStatus }; // every field was checked; codes and dtypes as text
}
