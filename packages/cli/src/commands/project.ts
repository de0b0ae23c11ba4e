import { projectSchema } from "@photinus/core/provision";
import { toJsonSchema } from "@valibot/to-json-schema";
import type { CommandContext } from "../context.ts";
import { printDocument } from "../print-document.ts";

/** The JSON Schema of `project.yml`, for editors. What one field alone does not show, only `provision` checks. */
export function projectJsonSchema(): object {
  return {
    ...toJsonSchema(projectSchema, { errorMode: "ignore", target: "draft-07" }),
    title: "Definition of a Photinus project",
  };
}

/** Prints the JSON Schema of `project.yml`. */
export function printProjectSchema({ terminal }: CommandContext): void {
  printDocument(projectJsonSchema(), terminal);
}
