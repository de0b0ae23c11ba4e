import type { Readable, Writable } from "node:stream";
import { confirm, isCancel, password } from "@clack/prompts";
import { WireError } from "@photinus/core/errors";

/** Where a person is asked; the streams of the process but in tests. */
export interface PersonStreams {
  /** What the person types. */
  readonly input: Readable & { readonly isTTY?: boolean };
  /** What the person sees. */
  readonly output: Writable & { readonly isTTY?: boolean };
}

const own: () => PersonStreams = () => ({ input: process.stdin, output: process.stderr });

function isPerson({ input, output }: PersonStreams): boolean {
  return input.isTTY === true && output.isTTY === true;
}

/**
 * Asks a person for a secret, and shows nothing of what is typed, its length included.
 * @returns `undefined` without a terminal
 * @throws WireError `ERR_CANCELLED`
 */
export async function askSecret(
  message: string,
  streams: PersonStreams = own(),
): Promise<string | undefined> {
  if (!isPerson(streams)) return undefined;
  const answer = await password({ message, mask: "", ...streams });
  if (isCancel(answer)) throw new WireError("ERR_CANCELLED", "no passphrase was given");
  return answer;
}

/**
 * Asks a person to confirm.
 * @returns `undefined` without a terminal
 * @throws WireError `ERR_CANCELLED`
 */
export async function askConfirmation(
  message: string,
  streams: PersonStreams = own(),
): Promise<boolean | undefined> {
  if (!isPerson(streams)) return undefined;
  const answer = await confirm({ message, initialValue: false, ...streams });
  if (isCancel(answer)) throw new WireError("ERR_CANCELLED", "nothing was done");
  return answer;
}
