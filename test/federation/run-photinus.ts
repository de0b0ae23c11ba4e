import { expect } from "vitest";
import { run } from "../../packages/cli/test/run-photinus.ts";

/** Runs a command that succeeds, as an administrator types it. @returns its output */
export async function photinus(...args: string[]): Promise<string> {
  const { code, out, err } = await run(...args);
  expect(code, err).toBe(0);
  return out;
}
