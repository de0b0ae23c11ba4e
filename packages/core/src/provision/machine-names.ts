import * as v from "valibot";
import { type Bytes, fromUtf8, utf8 } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";

const MachineNamesSchema = v.strictObject({
  version: v.literal(1),
  names: v.pipe(v.array(v.pipe(v.string(), v.maxLength(63))), v.maxLength(10_001)),
});

/** The names of server and sites that have kits: a site that enrols by a link never gets one. @returns JSON, UTF-8 */
export function encodeMachineNames(names: readonly string[]): Bytes {
  return utf8(`${JSON.stringify({ version: 1, names })}\n`);
}

/** @throws ProvisionError `ERR_KIT_UNREADABLE` */
export function parseMachineNames(file: Bytes): ReadonlySet<string> {
  try {
    return new Set(v.parse(MachineNamesSchema, JSON.parse(fromUtf8(file))).names);
  } catch (cause) {
    throw new ProvisionError("ERR_KIT_UNREADABLE", "machines.json does not list names", { cause });
  }
}
