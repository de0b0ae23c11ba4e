import { toHex } from "../bytes/index.ts";
import type { Participant } from "../pki/index.ts";
import type { TensorEntry } from "../tensor/index.ts";
import type { ParticipantFacts, TensorFacts } from "./facts.ts";

/** What plug-ins are told of a participant. */
export function participantFacts({
  name,
  role,
  org,
  leafDigest,
}: Pick<Participant, "name" | "role" | "org" | "leafDigest">): ParticipantFacts {
  return { name, role, org, certificate: toHex(leafDigest) };
}

/** What plug-ins are told of tensors. */
export function tensorFacts(
  tensors: readonly Pick<TensorEntry, "name" | "dtype" | "shape">[],
): readonly TensorFacts[] {
  return tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape: [...shape] }));
}
