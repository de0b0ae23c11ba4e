import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { main } from "@photinus/cli";
import { GENERATED_SECRET_ITERATIONS } from "@photinus/core/pki";
import { nodeCrypto } from "@photinus/node-platform";
import type { BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { comparePairs } from "./paired.ts";

const SITES = 32;
/** Kits: the sites, the server and one user. */
const KITS = SITES + 2;

const DEFINITION = `name: bench
server: { name: hub, org: central, hosts: [fl.example.org], port: 8443 }
sites:
${Array.from({ length: SITES }, (_, index) => `  - { name: site-${index + 1}, org: north }`).join("\n")}
users:
  - { name: admin@example.org, org: central, role: project_admin }
`;

/**
 * A project of 32 sites from `project.yml` to the folder with all kits and secrets on disk, as `photinus provision` makes it:
 * P-256, root of P-384, generated secrets. The reference is its cryptography alone: keys, PBKDF2, signatures.
 */
export async function run({ args, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-bench-"));
  try {
    await writeFile(join(folder, "project.yml"), DEFINITION);
    const at = args.indexOf("--pairs");
    const pairs = at < 0 ? 9 : Number(args[at + 1]) || 9;
    const { candidate, baseline, ratio } = await comparePairs(() => provisionOnce(folder), rawCryptography, {
      pairs,
      signal,
    });
    const seconds = { value: candidate.median / 1000, reference: baseline.median / 1000 };
    return {
      benchmark: "provision",
      metrics: {
        provision32CpuSeconds: { ...seconds, unit: "s", ratio: ratio.median, spread: ratio.spread },
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function provisionOnce(folder: string): Promise<void> {
  const out = join(folder, "project");
  const texts: string[] = [];
  const stream = { write: (text: string) => texts.push(text) };
  const streams = { out: stream, err: stream };
  const code = await main(["provision", join(folder, "project.yml"), "-o", out], { streams });
  if (code !== 0) throw new Error(texts.join(""));
  await rm(out, { recursive: true });
}

async function rawCryptography(): Promise<void> {
  const crypto = nodeCrypto();
  const salt = crypto.randomBytes(16);
  const data = crypto.randomBytes(512);
  const root = await crypto.generateSigningKey(3);
  await crypto.sign(root, data);
  await crypto.sign(root, data); // the enrolment CA and the list
  await crypto.generateSigningKey(1);
  for (let kit = 0; kit < KITS; kit++) {
    await crypto.generateSigningKey(1);
    await crypto.pbkdf2Sha256(data, salt, GENERATED_SECRET_ITERATIONS, 32);
    await crypto.sign(root, data);
    await crypto.sign(root, data); // certificate and manifest
  }
  // The root's key, the enrolment CA's and the storage key.
  for (let key = 0; key < 3; key++) await crypto.pbkdf2Sha256(data, salt, GENERATED_SECRET_ITERATIONS, 32);
}
