import { decode } from "../decomposer/index.ts";
import { readMessageHeader } from "../envelope/index.ts";
import { WireError } from "../errors/index.ts";
import type { MessageDefinition } from "../message/index.ts";
import { FRAME_KIND, MAX_INNER_FRAME_BYTES, readFrame } from "../wire/index.ts";
import type { ClientOutcome } from "./client-handshake.ts";
import type { AllModules } from "./established.ts";
import { readServerError } from "./server-error.ts";

/**
 * The one message of a session that has nothing else to say.
 * @throws the server's reason when it refuses; WireError `ERR_FRAME_MALFORMED` for anything else, `ERR_CONNECTION_LOST`
 */
export async function receiveLast<Body>(
  { channel, receiver }: Pick<ClientOutcome, "channel" | "receiver">,
  definition: MessageDefinition<Body>,
  { registry }: Pick<AllModules, "registry">,
): Promise<Body> {
  const bytes = await channel.next();
  if (bytes === undefined) {
    throw new WireError("ERR_CONNECTION_LOST", `the connection ended before ${definition.name}`);
  }
  const outer = readFrame(bytes);
  if (outer.kind !== FRAME_KIND.session) {
    throw new WireError("ERR_FRAME_MALFORMED", `a frame of kind ${outer.kind} outside the session`);
  }
  const frame = readFrame(await receiver.open(outer), MAX_INNER_FRAME_BYTES);
  if (frame.kind === FRAME_KIND.error) throw readServerError(frame);
  if (frame.kind !== FRAME_KIND.message || readMessageHeader(frame).type !== definition.type) {
    throw new WireError("ERR_FRAME_MALFORMED", `expected ${definition.name}`);
  }
  return definition.parse(decode(frame.payload, registry));
}
