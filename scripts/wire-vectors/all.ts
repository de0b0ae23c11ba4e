import { decomposerVectors } from "./decomposers.ts";

/** What makes each file of test/vectors/wire, by the file's name. */
const SUBJECTS: Readonly<Record<string, () => object | Promise<object>>> = {
  "decomposers.json": decomposerVectors,
};

/** The files of test/vectors/wire as they have to be: name to text. Keys, clock and randomness are fixed. */
export async function wireVectors(): Promise<ReadonlyMap<string, string>> {
  const files = Object.entries(SUBJECTS).map(
    async ([file, make]) => [file, `${JSON.stringify(await make(), null, 1)}\n`] as const,
  );
  return new Map(await Promise.all(files));
}
