import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs the openssl program of the system in a folder of its own. */
export interface OpenSsl {
  /** Writes a file and tells its path. */
  readonly file: (name: string, content: Uint8Array | string) => string;
  /** Path of a file that openssl writes. */
  readonly path: (name: string) => string;
  /** @returns stdout and stderr @throws Error with both when it fails */
  readonly run: (...args: string[]) => string;
  readonly remove: () => void;
}

export function openSsl(): OpenSsl {
  try {
    execFileSync("openssl", ["version"]);
  } catch (cause) {
    throw new Error("These tests need openssl on PATH: apt-get install openssl (or brew install openssl).", {
      cause,
    });
  }
  const folder = mkdtempSync(join(tmpdir(), "photinus-openssl-"));
  const path = (name: string) => join(folder, name);
  return {
    path,
    file(name, content) {
      writeFileSync(path(name), content);
      return path(name);
    },
    run(...args) {
      const { status, stdout, stderr } = spawnSync("openssl", args, { encoding: "utf8" });
      if (status !== 0) throw new Error(`openssl ${args[0]}: ${stdout}${stderr}`);
      return `${stdout}${stderr}`;
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
