import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeCrypto } from "@photinus/node-platform";
import { goldenBytes, makeGoldenSigned } from "../packages/core/test/session/golden.ts";
import { ROOT } from "./process.ts";

// Writes the golden bytes of the wire format. Run it for a new version of the protocol only: the file of a version
// that is in use never changes.

const FILE = "packages/core/test/vectors/wire/version-1.json";

const crypto = nodeCrypto();
const vectors = {
  source: "scripts/wire-vectors.ts",
  bytes: await goldenBytes(crypto),
  signed: await makeGoldenSigned(crypto),
};
writeFileSync(join(ROOT, FILE), `${JSON.stringify(vectors, null, 1)}\n`);
console.log(`wrote ${FILE}`);
