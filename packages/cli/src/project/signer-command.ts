import { spawn } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Bytes, concatBytes, toBytes } from "@photinus/core/bytes";
import { HostError, PkiError } from "@photinus/core/errors";
import type { ExternalSigner } from "@photinus/core/pki";

/** A program that holds the root's key, or reaches it. */
export interface SignerCommand {
  /** Program that reads what to sign from standard input and writes the signature to standard output. */
  readonly program: string;
  /** File with its public key, PEM. */
  readonly publicKeyFile: string;
}

/** A person may have to touch a token, or type a PIN. */
const SIGNER_TIMEOUT_MS = 120_000;

/** No signature is larger: RSA of 4096 bits. */
const MAX_SIGNATURE_BYTES = 4096;

/**
 * A signer that is another program, run once per signature without arguments and without a shell. What `openssl dgst -sign`
 * prints is what it has to print.
 *
 * @throws HostError `ERR_CONFIG_INVALID` when the public key cannot be read
 */
export async function signerCommand({ program, publicKeyFile }: SignerCommand): Promise<ExternalSigner> {
  const publicKey = await readPublicKeyFile(publicKeyFile);
  return { publicKey, sign: (data) => runSigner(program, data) };
}

async function readPublicKeyFile(file: string): Promise<Bytes> {
  try {
    const key = createPublicKey(await readFile(file));
    return toBytes(key.export({ type: "spki", format: "der" }));
  } catch (cause) {
    throw new HostError("ERR_CONFIG_INVALID", `${file} holds no public key in PEM`, { cause });
  }
}

function runSigner(program: string, data: Bytes): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    const fail = (detail: string, cause?: unknown): void =>
      reject(new PkiError("ERR_SIGNER_FAILED", `${program} ${detail}`, { cause }));
    // Its messages are for the person who started us, such as a prompt for a PIN.
    const child = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"], timeout: SIGNER_TIMEOUT_MS });
    const pieces: Bytes[] = [];
    let length = 0;
    child.stdout.on("data", (piece: Uint8Array) => {
      length += piece.length;
      if (length > MAX_SIGNATURE_BYTES) child.kill("SIGKILL");
      else pieces.push(toBytes(piece));
    });
    child.on("error", (cause) => fail("cannot be run", cause));
    child.on("close", (code, signal) => {
      if (code !== 0) fail(`ended with ${signal ?? code}`);
      else if (length === 0) fail("printed nothing");
      else resolve(concatBytes(...pieces));
    });
    child.stdin.on("error", () => undefined); // a program that ends early says why by its exit code
    child.stdin.end(data);
  });
}
