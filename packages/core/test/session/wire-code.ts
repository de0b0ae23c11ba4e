import { wireCodeOf } from "@photinus/core/envelope";
import { PhotinusError } from "@photinus/core/errors";

/** The code on the wire of the refusal; undefined when there is none. @throws anything else that is thrown */
export async function codeOf(run: () => unknown): Promise<number | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    if (error instanceof PhotinusError) return wireCodeOf(error.code);
    throw error;
  }
}
