import { JOB_FILE_DEFAULTS, jobFileSchema } from "@photinus/core/job";
import { type JsonSchema, toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { withOptional } from "./with-defaults.ts";

/** The JSON Schema of `job.yaml`, for editors. What needs two fields, such as an infeasible rule, only `job check` tells. */
export function jobJsonSchema(): object {
  const schema = withOptional(converted(jobFileSchema), JOB_FILE_DEFAULTS);
  return { ...Object(schema), title: "A job of Photinus" };
}

function converted(schema: v.GenericSchema): JsonSchema {
  return toJsonSchema(schema, {
    errorMode: "ignore",
    target: "draft-07",
    overrideSchema: ({ valibotSchema }) => eitherForm(valibotSchema),
  });
}

/** What may be a word or a map depends on what is written; an editor is told both forms. */
function eitherForm(schema: unknown): JsonSchema | undefined {
  if (!isLazy(schema)) return undefined;
  const forms = ["", {}].map((written) => {
    const { $schema: _dialect, ...form } = converted(schema.getter(written));
    return form;
  });
  return { anyOf: forms };
}

function isLazy(schema: unknown): schema is v.LazySchema<v.GenericSchema> {
  return typeof schema === "object" && schema !== null && "type" in schema && schema.type === "lazy";
}
