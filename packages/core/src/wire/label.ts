import { type Bytes, concatBytes, utf8 } from "../bytes/index.ts";

/** What a signature or a derivation is for; a signature made for one never stands for another. */
export type Label =
  | "server"
  | "client"
  | "token"
  | "message"
  | "object"
  | "checkpoint"
  | "stream"
  | "audit"
  | "seed"
  | "sealed"
  | "content-key"
  | "oidc";

const PROTOCOL = utf8("photinus/1\0");

/** `S(c, x) = "photinus/1\0" ‖ u8 length(c) ‖ c ‖ x`: what every signature covers ([W-1]). */
export function labelled(label: Label, ...content: readonly Bytes[]): Bytes {
  const name = utf8(label);
  return concatBytes(PROTOCOL, Uint8Array.of(name.byteLength), name, ...content);
}

/**
 * Prologue of the handshake: `"photinus/1\0" ‖ u8 length ‖ project`.
 * @throws RangeError unless `project` has 1 to 63 bytes
 */
export function prologueOf(project: string): Bytes {
  const name = utf8(project);
  if (name.byteLength < 1 || name.byteLength > 63) throw new RangeError("a project has 1 to 63 bytes");
  return concatBytes(PROTOCOL, Uint8Array.of(name.byteLength), name);
}
