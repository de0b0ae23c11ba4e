import { AGGREGATION_REMEDIES } from "./aggregation.ts";
import { AUTHENTICATION_REMEDIES } from "./authentication.ts";
import { AUTHORIZATION_REMEDIES } from "./authorization.ts";
import { DECOMPOSER_REMEDIES } from "./decomposer.ts";
import type { ErrorDefinition } from "./definition.ts";
import { ENVELOPE_REMEDIES } from "./envelope.ts";
import { FILTER_REMEDIES } from "./filter.ts";
import { HOST_REMEDIES } from "./host.ts";
import { JOB_REMEDIES } from "./job.ts";
import { MESSAGE_REMEDIES } from "./message.ts";
import { PKI_REMEDIES } from "./pki.ts";
import { PLUGIN_REMEDIES } from "./plugin.ts";
import { PROVISION_REMEDIES } from "./provision.ts";
import { ERRORS, type ErrorCode } from "./registry.ts";
import { SEALING_REMEDIES } from "./sealing.ts";
import { STORAGE_REMEDIES } from "./storage.ts";
import { TRAINING_REMEDIES } from "./training.ts";
import { WIRE_REMEDIES } from "./wire.ts";

// Apart from the registry: a worker acts on errors and has nobody to advise.

const REMEDIES: Readonly<Record<ErrorCode, string>> = {
  ...WIRE_REMEDIES,
  ...ENVELOPE_REMEDIES,
  ...DECOMPOSER_REMEDIES,
  ...MESSAGE_REMEDIES,
  ...PKI_REMEDIES,
  ...PROVISION_REMEDIES,
  ...AUTHENTICATION_REMEDIES,
  ...AUTHORIZATION_REMEDIES,
  ...FILTER_REMEDIES,
  ...PLUGIN_REMEDIES,
  ...JOB_REMEDIES,
  ...AGGREGATION_REMEDIES,
  ...TRAINING_REMEDIES,
  ...SEALING_REMEDIES,
  ...STORAGE_REMEDIES,
  ...HOST_REMEDIES,
};

/** The definition of a code, with what a person does about it. */
export function describeError(code: ErrorCode): ErrorDefinition {
  return { ...ERRORS[code], remedy: REMEDIES[code] };
}
