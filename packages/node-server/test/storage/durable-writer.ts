// A process that writes until it is killed: node --conditions=@photinus/source --import tsx durable-writer.ts <folder>
import { nodeCrypto } from "@photinus/node-platform";
import { openStorage } from "@photinus/node-server";

const storage = await openStorage({ folder: process.argv[2] ?? "" }, { crypto: nodeCrypto() });
for (let index = 1; ; index++) {
  const content = new Uint8Array(50_000).fill(index);
  const [, record, { digest }] = await Promise.all([
    storage.metadata.put(`k/${String(index).padStart(6, "0")}`, Uint8Array.of(index & 255)),
    storage.audit.append({
      atMs: index,
      actor: "system",
      action: "round",
      object: String(index),
      outcome: "done",
      reason: "",
      correlation: "",
      details: {},
    }),
    storage.blobs.put([content]),
  ]);
  process.stdout.write(`${JSON.stringify({ index, sequence: record.sequence, digest })}\n`);
}
