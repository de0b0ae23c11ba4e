import { wireCodeOf } from "../../packages/core/src/envelope/index.ts";
import { PhotinusError } from "../../packages/core/src/errors/index.ts";

/** The number on the wire of what `run` refuses with. @throws Error when it refuses nothing */
export async function wireCodeOfRefusal(name: string, run: () => unknown): Promise<number> {
  try {
    await run();
  } catch (error) {
    if (error instanceof PhotinusError) return wireCodeOf(error.code);
    throw error;
  }
  throw new Error(`${name} was not refused`);
}
