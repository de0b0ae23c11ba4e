import * as v from "valibot";
import { type Bytes, fromUtf8, utf8 } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";

/** What a server knows beforehand of a machine that has a kit. */
export interface Machine {
  /** Name in its certificate. A site that enrols by a link never gets it. */
  readonly name: string;
  /** What it is. */
  readonly role: "server" | "site" | "adapter";
  /** Where its data lies. */
  readonly jurisdiction?: string;
}

const MachinesSchema = v.strictObject({
  version: v.literal(1),
  machines: v.pipe(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.maxLength(63)),
        role: v.picklist(["server", "site", "adapter"]),
        jurisdiction: v.exactOptional(v.pipe(v.string(), v.maxLength(6))),
      }),
    ),
    v.maxLength(11_001),
  ),
});

/** The machines of a project that have kits. @returns JSON, UTF-8 */
export function encodeMachines(machines: readonly Machine[]): Bytes {
  const lines = machines.map((machine) => `    ${JSON.stringify(machine)}`);
  return utf8(`{\n  "version": 1,\n  "machines": [\n${lines.join(",\n")}\n  ]\n}\n`);
}

/**
 * Reads what {@link encodeMachines} wrote.
 * @returns by name
 * @throws ProvisionError `ERR_KIT_UNREADABLE`
 */
export function parseMachines(file: Bytes): ReadonlyMap<string, Machine> {
  try {
    const { machines } = v.parse(MachinesSchema, JSON.parse(fromUtf8(file)));
    return new Map(machines.map((machine) => [machine.name, machine]));
  } catch (cause) {
    throw new ProvisionError("ERR_KIT_UNREADABLE", "machines.json does not list machines", { cause });
  }
}
