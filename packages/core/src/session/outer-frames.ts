import type { Bytes } from "../bytes/index.ts";
import { WireError } from "../errors/index.ts";
import { FRAME_KIND, type Frame, type RecordReceiver, readFrame } from "../wire/index.ts";
import type { ReadGate } from "./read-gate.ts";
import { asRefused, refused } from "./refused-input.ts";

/** What frames of the connection are opened with. */
export interface OuterFramesOptions {
  readonly receiver: RecordReceiver;
  readonly gate: ReadGate;
  /** Aborted when the session has ended. */
  readonly signal: AbortSignal;
  /** True: sealed blobs are expected. */
  readonly takesBlobs: boolean;
  /** True: a frame may be decrypted where it lies. */
  readonly ownsFrames: boolean;
}

/**
 * Opens one frame of the connection, cheap first: lengths, kind, rate; only then is anything decrypted.
 * @returns the inner frame of SESSION; or a BLOB as it is
 * @throws RefusedInput; the signal's reason while it waits for its turn
 */
export async function openOuter(bytes: Bytes, options: OuterFramesOptions): Promise<Bytes | Frame> {
  const frame = asRefused(() => readFrame(bytes));
  const { gate, signal, takesBlobs, receiver, ownsFrames } = options;
  const isSession = frame.kind === FRAME_KIND.session;
  // [W-30]
  if (!isSession && !(takesBlobs && frame.kind === FRAME_KIND.blob)) {
    throw refused(new WireError("ERR_FRAME_MALFORMED", `a frame of kind ${frame.kind} outside the session`));
  }
  const waitMs = gate.enter();
  if (waitMs > 0) await gate.wait(waitMs, signal);
  if (!isSession) return frame;
  try {
    return await receiver.open(frame, ownsFrames);
  } catch (error) {
    throw refused(error);
  }
}
