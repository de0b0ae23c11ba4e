import { type Bytes, concatBytes, fromHex, utf8 } from "../bytes/index.ts";
import { type ChunkPlan, chunkCount } from "../stream/index.ts";
import { labelled, TAG_BYTES, u32 } from "../wire/index.ts";
import type { SealingContext } from "./contract.ts";

/** Index of the statement among the pieces; the chunks of the stream follow from 1. */
export const STATEMENT_PIECE = 0;

/** One piece of sealed content. */
export interface Piece {
  /** 0 the statement, then the chunks: nonce of its encryption. */
  readonly index: number;
  /** True for the last one, so that nothing can be cut off. */
  readonly final: boolean;
}

/** u8 length ‖ UTF-8: names that follow one another cannot run into each other. */
function field(text: string): Bytes {
  const bytes = utf8(text);
  if (bytes.byteLength > 255) throw new RangeError("a name has at most 255 bytes");
  return concatBytes(Uint8Array.of(bytes.byteLength), bytes);
}

/** The 16 bytes of a job id. @throws RangeError unless it has 32 hexadecimal digits */
export function jobBytes(job: string): Bytes {
  if (job.length !== 32) throw new RangeError("a job id has 32 hexadecimal digits");
  return fromHex(job);
}

function contextBytes({ project, job, round, from }: SealingContext): Bytes {
  return concatBytes(field(project), jobBytes(job), u32(round), field(from));
}

/** info of HPKE: S("content-key", project ‖ job ‖ round ‖ from ‖ to). */
export function wrappingInfo(context: SealingContext, to: string): Bytes {
  return labelled("content-key", contextBytes(context), field(to));
}

/** AAD of a piece: project ‖ job ‖ round ‖ from ‖ streamId ‖ index u32 ‖ final u8. */
export function pieceAssociatedData(context: SealingContext, streamId: Bytes, piece: Piece): Bytes {
  return concatBytes(contextBytes(context), streamId, u32(piece.index), Uint8Array.of(piece.final ? 1 : 0));
}

/** How the plaintext under a ciphertext of this plan is cut: each chunk is shorter by its tag. */
export function plaintextPlan(plan: ChunkPlan): ChunkPlan {
  return {
    chunkBytes: plan.chunkBytes - TAG_BYTES,
    totalBytes: plan.totalBytes - TAG_BYTES * chunkCount(plan),
  };
}
