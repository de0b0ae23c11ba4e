import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { main } from "../src/main.ts";
import { capturedStreams } from "./captured-streams.ts";

/** A temporary folder, removed when the test ends. */
export async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Runs the command in this process. */
export async function run(...args: string[]) {
  const { texts, streams } = capturedStreams();
  const code = await main(args, { streams });
  return { code, ...texts };
}

/** Every file of a folder with its content in hex, by path. */
export async function contents(path: string): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(files.map(async (name) => [name, (await readFile(name)).toString("hex")] as const)),
  );
}
