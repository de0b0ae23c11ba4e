import { toHex } from "../../packages/core/src/bytes/index.ts";
import { builtInRegistry, encode } from "../../packages/core/src/decomposer/index.ts";
import { SAMPLES } from "../../packages/core/test/message/samples.ts";

/** A body of every message of jobs. */
export function messageVectors(): object {
  const registry = builtInRegistry();
  return {
    about:
      "A body of every message of jobs, by type and name: what a MESSAGE or SIGNED frame carries as payload.",
    messages: SAMPLES.map(([definition, body]) => ({
      type: definition.type,
      name: definition.name,
      travels: definition.signed ? "SIGNED" : "MESSAGE",
      from: definition.from,
      bytes: toHex(encode(body, registry)),
    })),
  };
}
