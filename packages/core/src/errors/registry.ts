import { AGGREGATION_ERRORS, type AggregationErrorCode } from "./aggregation.ts";
import { AUTHENTICATION_ERRORS, type AuthenticationErrorCode } from "./authentication.ts";
import { AUTHORIZATION_ERRORS, type AuthorizationErrorCode } from "./authorization.ts";
import { DECOMPOSER_ERRORS, type DecomposerErrorCode } from "./decomposer.ts";
import type { ErrorHandling } from "./definition.ts";
import { ENVELOPE_ERRORS, type EnvelopeErrorCode } from "./envelope.ts";
import { FILTER_ERRORS, type FilterErrorCode } from "./filter.ts";
import { HOST_ERRORS, type HostErrorCode } from "./host.ts";
import { JOB_ERRORS, type JobErrorCode } from "./job.ts";
import { MESSAGE_ERRORS, type MessageErrorCode } from "./message.ts";
import { PKI_ERRORS, type PkiErrorCode } from "./pki.ts";
import { PLUGIN_ERRORS, type PluginErrorCode } from "./plugin.ts";
import { PROVISION_ERRORS, type ProvisionErrorCode } from "./provision.ts";
import { SEALING_ERRORS, type SealingErrorCode } from "./sealing.ts";
import { STORAGE_ERRORS, type StorageErrorCode } from "./storage.ts";
import { TRAINING_ERRORS, type TrainingErrorCode } from "./training.ts";
import { WIRE_ERRORS, type WireErrorCode } from "./wire.ts";

/** A stable code of the registry. */
export type ErrorCode =
  | AggregationErrorCode
  | AuthenticationErrorCode
  | AuthorizationErrorCode
  | DecomposerErrorCode
  | EnvelopeErrorCode
  | FilterErrorCode
  | HostErrorCode
  | JobErrorCode
  | MessageErrorCode
  | PkiErrorCode
  | PluginErrorCode
  | ProvisionErrorCode
  | SealingErrorCode
  | StorageErrorCode
  | TrainingErrorCode
  | WireErrorCode;

/** Every error of Photinus by code: wire number, action of the receiver. What people are told stands in remedies.ts. */
export const ERRORS: Readonly<Record<ErrorCode, ErrorHandling>> = {
  ...WIRE_ERRORS,
  ...ENVELOPE_ERRORS,
  ...DECOMPOSER_ERRORS,
  ...MESSAGE_ERRORS,
  ...PKI_ERRORS,
  ...PROVISION_ERRORS,
  ...AUTHENTICATION_ERRORS,
  ...AUTHORIZATION_ERRORS,
  ...FILTER_ERRORS,
  ...PLUGIN_ERRORS,
  ...JOB_ERRORS,
  ...AGGREGATION_ERRORS,
  ...TRAINING_ERRORS,
  ...SEALING_ERRORS,
  ...STORAGE_ERRORS,
  ...HOST_ERRORS,
};

/** True when `code` stands in the registry. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

const BY_WIRE: ReadonlyMap<number, ErrorCode> = new Map(
  (Object.keys(ERRORS) as ErrorCode[]).flatMap((code) => {
    const { wire } = ERRORS[code];
    return wire === undefined ? [] : [[wire, code] as const];
  }),
);

/** The code that a wire number stands for; `undefined` for a number that no version defines. */
export function errorCodeOfWire(wire: number): ErrorCode | undefined {
  return BY_WIRE.get(wire);
}
