import { type Bytes, toHex } from "../bytes/index.ts";
import { builtInRegistry, encode } from "../decomposer/index.ts";
import { AUDIENCE_ALL, MAX_OBJECT_LIFETIME_MS, sealObject } from "../envelope/index.ts";
import { JobError } from "../errors/index.ts";
import { OBJECT_TYPES } from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { ParameterSet, packParameters } from "../tensor/index.ts";
import type { JobBundle } from "./definition.ts";
import { type JobPayload, parseJobPayload } from "./job-object.ts";

/** A job as it is handed in. */
export interface SignedJob {
  /** The object id in hex. */
  readonly jobId: string;
  /** The job OBJECT: what the submitter's signature covers. */
  readonly object: Bytes;
  /** What was signed. */
  readonly payload: JobPayload;
  /** The forward ONNX graph. */
  readonly graph: Bytes;
  /** The initial parameters, packed in table order. */
  readonly parameters: Bytes;
}

/**
 * Signs a job once; the server stores and relays these bytes, so that no server can speak for its submitter.
 *
 * @param identity a user's
 * @throws JobError `ERR_JOB_INVALID` naming the first bad field
 */
export async function signJob(
  { definition, model: graph, parameters: table, initialParameters }: JobBundle,
  { identity, crypto, clock }: SignJobModules,
): Promise<SignedJob> {
  const parameters = packParameters(inTableOrder(table, initialParameters));
  const payload = parseJobPayload({
    definition,
    parameters: table.map(({ name, dtype, shape, trainable }) => ({
      name,
      dtype,
      shape: [...shape],
      trainable,
    })),
    graph: { digest: await crypto.sha256(graph), byteLength: graph.byteLength },
    initialParameters: { digest: await crypto.sha256(parameters), byteLength: parameters.byteLength },
  });
  return { ...(await signPayload(payload, { identity, crypto, clock })), payload, graph, parameters };
}

/** Signs what a job is, under an id of its own. */
export async function signPayload(
  payload: JobPayload,
  { identity, crypto, clock }: SignJobModules,
): Promise<Pick<SignedJob, "jobId" | "object">> {
  const objectId = crypto.randomBytes(16);
  const object = await sealObject(
    {
      objectType: OBJECT_TYPES.job,
      audience: AUDIENCE_ALL,
      objectId,
      issuedAt: Math.trunc(clock.now()),
      lifetimeMs: MAX_OBJECT_LIFETIME_MS,
      payload: encode(payload, builtInRegistry()),
    },
    { identity, crypto },
  );
  return { jobId: toHex(objectId), object };
}

/** What {@link signJob} works with. */
export interface SignJobModules {
  /** Certificate and key of whoever signs. */
  readonly identity: Identity;
  /** Cryptography of the runtime. */
  readonly crypto: CryptoProvider;
  /** Time. */
  readonly clock: Clock;
}

function inTableOrder(table: JobBundle["parameters"], parameters: ParameterSet): ParameterSet {
  if (parameters.size !== table.length) {
    throw new JobError(
      "ERR_JOB_INVALID",
      `the table has ${table.length} parameters (got ${parameters.size})`,
    );
  }
  return new ParameterSet(
    table.map(({ name, dtype, shape }) => {
      const tensor = parameters.get(name);
      if (tensor?.dtype !== dtype || tensor.shape.join() !== shape.join()) {
        throw new JobError("ERR_JOB_INVALID", `parameter ${name} must be ${dtype}[${shape.join(",")}]`);
      }
      return [name, tensor];
    }),
  );
}
