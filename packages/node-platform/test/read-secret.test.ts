import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { readSecret, readSecretFile } from "@photinus/node-platform";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "photinus-secret-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function fileWith(text: string): number {
  const path = join(folder, "secret");
  writeFileSync(path, text);
  return openSync(path, "r");
}

describe("a kit's secret", () => {
  test("is read up to the line break", async () => {
    expect(await readSecret(fileWith("s3cret\r\nmore\n"))).toBe("s3cret");
  });

  test("needs no line break", async () => {
    expect(await readSecret(fileWith("s3cret"))).toBe("s3cret");
  });

  test("is read from a file by its path, and a missing file is refused", async () => {
    writeFileSync(join(folder, "credential"), "s3cret\n");

    expect(await readSecretFile(join(folder, "credential"))).toBe("s3cret");
    await expect(readSecretFile(join(folder, "none"))).rejects.toMatchObject({ code: "ERR_KIT_UNREADABLE" });
  });

  test("goes from a process to its child", async () => {
    const program = `
      import { readSecret, readSecretFile } from "@photinus/node-platform";
      process.stdout.write(await readSecret(3));
    `;
    const flags = ["--conditions=@photinus/source", "--import", "tsx", "--input-type=module", "-e", program];
    const child = spawn(process.execPath, flags, { stdio: ["ignore", "pipe", "inherit", "pipe"] });
    const pipe = child.stdio[3] as Writable; // asked for as a pipe above
    pipe.end("s3cret\n");

    let output = "";
    child.stdout?.on("data", (text: Buffer) => {
      output += text.toString();
    });
    await once(child, "close");

    expect(output).toBe("s3cret");
  });

  test("is refused when it is empty, too long, no text, or the descriptor is closed", async () => {
    const refused = { code: "ERR_KIT_UNREADABLE" };
    const closed = 1_000_000; // beyond what a process may open

    await expect(readSecret(fileWith(""))).rejects.toMatchObject(refused);
    await expect(readSecret(fileWith("\ns3cret"))).rejects.toMatchObject(refused);
    await expect(readSecret(fileWith("x".repeat(5000)))).rejects.toMatchObject(refused);
    await expect(readSecret(closed)).rejects.toMatchObject(refused);
  });
});
