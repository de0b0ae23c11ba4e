import * as v from "valibot";
import { MessageError } from "../errors/index.ts";
import type { Role } from "../pki/index.ts";
import type { MessageDefinition } from "./definition.ts";

/** What {@link defineMessage} binds to a schema. */
export interface MessageTraits {
  /** Integer of the kind, never reused. */
  readonly type: number;
  /** For logs and documentation. */
  readonly name: string;
  /** True when it must come as SIGNED. */
  readonly signed: boolean;
  /** Roles that may send it. */
  readonly from: readonly Role[];
}

/** A message kind whose bodies `schema` proves. The schema stays private to the file of the family. */
export function defineMessage<Body>(
  traits: MessageTraits,
  schema: v.GenericSchema<unknown, Body>,
): MessageDefinition<Body> {
  return { ...traits, parse: (value) => parseAs(traits.name, schema, value) };
}

/**
 * `value` as `schema` proves it.
 * @throws MessageError `ERR_MESSAGE_MALFORMED` naming the first bad field, never its content
 */
export function parseAs<T>(name: string, schema: v.GenericSchema<unknown, T>, value: unknown): T {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? "body";
  throw new MessageError("ERR_MESSAGE_MALFORMED", `${name}: ${path} must be ${issue.expected ?? issue.type}`);
}
