import { checkpointVectors } from "./checkpoints.ts";
import { decomposerVectors } from "./decomposers.ts";
import { objectVectors, signedVectors, tokenVectors } from "./envelopes.ts";
import { errorVectors } from "./errors.ts";
import { frameVectors } from "./frames.ts";
import { handshakeVectors, sessionVectors } from "./handshake.ts";
import { messageVectors } from "./messages.ts";
import { participantVectors } from "./participants.ts";
import { revocationVectors } from "./revocation.ts";
import { sealedVectors } from "./sealed.ts";
import { blobVectors, streamVectors } from "./streams.ts";

/** What makes each file of test/vectors/wire, by the file's name. */
const SUBJECTS: Readonly<Record<string, () => object | Promise<object>>> = {
  "participants.json": participantVectors,
  "frames.json": frameVectors,
  "handshake.json": handshakeVectors,
  "session.json": sessionVectors,
  "tokens.json": tokenVectors,
  "signed.json": signedVectors,
  "objects.json": objectVectors,
  "streams.json": streamVectors,
  "blobs.json": blobVectors,
  "errors.json": errorVectors,
  "decomposers.json": decomposerVectors,
  "messages.json": messageVectors,
  "checkpoints.json": checkpointVectors,
  "sealed.json": sealedVectors,
  "revocation.json": revocationVectors,
};

/** The files of test/vectors/wire as they have to be: name to text. Keys, clock and randomness are fixed. */
export async function wireVectors(): Promise<ReadonlyMap<string, string>> {
  const files = Object.entries(SUBJECTS).map(
    async ([file, make]) => [file, `${JSON.stringify(await make(), null, 1)}\n`] as const,
  );
  return new Map(await Promise.all(files));
}
