import { FilterError } from "@photinus/core/errors";
import {
  filterRegistry,
  type PrivacyPolicy,
  parsePrivacyPolicy,
  privacyDocumentSchema,
} from "@photinus/core/filter";
import type { LocatedFile } from "../located-file.ts";
import { checkDocument } from "../yaml/check-document.ts";
import { DocumentFault } from "../yaml/positioned-document.ts";

/**
 * Reads a privacy policy.
 * @throws FilterError `ERR_PRIVACY_POLICY_INVALID` with file, line and column
 */
export function privacyPolicyOf({ value, locate, document }: LocatedFile): PrivacyPolicy {
  const registry = filterRegistry();
  try {
    checkDocument(document, privacyDocumentSchema(registry));
  } catch (cause) {
    if (!(cause instanceof DocumentFault)) throw cause;
    throw new FilterError("ERR_PRIVACY_POLICY_INVALID", `${cause.position} ${cause.message}`, { cause });
  }
  return parsePrivacyPolicy(value, { registry, locate });
}
