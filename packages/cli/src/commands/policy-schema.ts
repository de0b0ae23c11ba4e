import {
  DEFAULT_POLICY_DOCUMENT,
  MAX_POLICY_CONDITIONS,
  MAX_POLICY_ENTRIES,
  MAX_POLICY_TEXT,
  POLICY_VERSION,
  RIGHT_CATEGORIES,
} from "@photinus/core/authorization";
import { filterRegistry, privacyDocumentSchema } from "@photinus/core/filter";
import { resourceSettingsSchema } from "@photinus/core/site";
import { toJsonSchema } from "@valibot/to-json-schema";
import type { CommandContext } from "../context.ts";
import type { PolicyKind } from "../policy/policy-kind.ts";
import { printDocument } from "../print-document.ts";

/** The JSON Schema of `authorization.json`, for editors: it proposes the known roles and rights and takes others. */
export function policyJsonSchema(): object {
  const rights = [...new Set([...Object.keys(RIGHT_CATEGORIES), ...Object.values(RIGHT_CATEGORIES).flat()])];
  const control = { $ref: "#/definitions/control" };
  const role = { $ref: "#/definitions/role" };
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Authorization policy of a Photinus site or server",
    type: "object",
    additionalProperties: false,
    required: ["format_version", "permissions"],
    properties: {
      format_version: { const: POLICY_VERSION },
      permissions: {
        type: "object",
        minProperties: 1,
        maxProperties: MAX_POLICY_ENTRIES,
        properties: Object.fromEntries(
          Object.keys(DEFAULT_POLICY_DOCUMENT.permissions).map((name) => [name, role]),
        ),
        additionalProperties: role,
      },
    },
    definitions: {
      condition: {
        description:
          "any, none, o:site, o:submitter, o:<organization>, n:submitter, n:<name>; each with not before it",
        type: "string",
        maxLength: MAX_POLICY_TEXT,
      },
      control: {
        anyOf: [
          { $ref: "#/definitions/condition" },
          {
            type: "array",
            minItems: 1,
            maxItems: MAX_POLICY_CONDITIONS,
            items: { $ref: "#/definitions/condition" },
          },
        ],
      },
      role: {
        anyOf: [
          control,
          {
            type: "object",
            maxProperties: MAX_POLICY_ENTRIES,
            properties: Object.fromEntries(rights.map((right) => [right, control])),
            additionalProperties: control,
          },
        ],
      },
    },
  };
}

/** The JSON Schema of `privacy.json`, for editors. What one field alone does not show, only `policy check` tells. */
export function privacyJsonSchema(): object {
  return {
    ...toJsonSchema(privacyDocumentSchema(filterRegistry()), { errorMode: "ignore", target: "draft-07" }),
    title: "Privacy policy of a Photinus site",
  };
}

/** The JSON Schema of `resources.json`, for editors. */
export function resourcesJsonSchema(): object {
  return {
    ...toJsonSchema(resourceSettingsSchema, { errorMode: "ignore", target: "draft-07" }),
    title: "What a Photinus site has for jobs",
  };
}

/** Prints the JSON Schema of `authorization.json`, `privacy.json` or `resources.json`. */
export function printPolicySchema(which: PolicyKind, { terminal }: CommandContext): void {
  const schemas = {
    authorization: policyJsonSchema,
    privacy: privacyJsonSchema,
    resources: resourcesJsonSchema,
  };
  printDocument(schemas[which](), terminal);
}
