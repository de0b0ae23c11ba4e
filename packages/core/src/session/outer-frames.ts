import type { Bytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";
import { FRAME_KIND, type Frame, readFrame } from "../wire/index.ts";
import { asRefused, refused } from "./refused-input.ts";
import type { SessionParts } from "./session-parts.ts";

/**
 * Opens one frame of the connection, cheap first: lengths, kind, rate; only then is anything decrypted.
 * @param takesBlobs true: sealed blobs are expected
 * @returns the inner frame of SESSION; or a BLOB as it is
 * @throws RefusedInput; the signal's reason while it waits for its turn
 */
export async function openOuter(
  bytes: Bytes,
  { gate, established, session }: Pick<SessionParts, "gate" | "established" | "session">,
  takesBlobs: boolean,
): Promise<Bytes | Frame> {
  const frame = asRefused(() => readFrame(bytes));
  const isSession = frame.kind === FRAME_KIND.session;
  // [W-30]
  if (!isSession && !(takesBlobs && frame.kind === FRAME_KIND.blob)) {
    throw refused(new WireError("ERR_FRAME_MALFORMED", `a frame of kind ${frame.kind} outside the session`));
  }
  const waitMs = gate.enter();
  if (waitMs > 0) await gate.wait(waitMs, session.signal);
  if (!isSession) return frame;
  try {
    const { receiver, channel } = established;
    return await receiver.open(frame, channel.ownsFrames);
  } catch (error) {
    throw refused(error);
  }
}
