import { expect, test } from "vitest";
import type { CryptoProvider } from "../../src/platform/index.ts";
import { TestFederation } from "./a-federation.ts";

/** What one model version may cost, whatever the number of sites: counted over the signatures of the server. */
async function signaturesOfJob(sites: readonly string[]): Promise<{ objects: number; sealed: number }> {
  const counts = { objects: 0, sealed: 0 };
  const federation = await TestFederation.start({
    observe: (crypto: CryptoProvider): CryptoProvider => ({
      ...crypto,
      sign: (key, data) => {
        if (isObject(data)) counts.objects += 1;
        return crypto.sign(key, data);
      },
      aesGcmSeal: (key, iv, plaintext, aad) => {
        if (isModelChunk(aad)) counts.sealed += 1;
        return crypto.aesGcmSeal(key, iv, plaintext, aad);
      },
    }),
  });
  for (const name of sites) federation.site(name);
  const jobId = await federation.submit({ rounds: 2, minimumSites: sites.length });
  await federation.untilEnd(jobId);
  await federation.stop();
  return counts;
}

const text = new TextDecoder("latin1");
/** S("object", …) of docs/WIRE-PROTOCOL.md. */
const isObject = (data: Uint8Array): boolean =>
  text.decode(data.subarray(0, 18)).startsWith("photinus/1\0\x06object");
/** AAD of a sealed blob: project ‖ blob id ‖ index ‖ final. */
const isModelChunk = (aad: Uint8Array): boolean =>
  aad.byteLength === "test".length + 21 && text.decode(aad).startsWith("test");

test("each model version is encrypted once and its publication signed once, however many sites read it", async () => {
  const versions = 3; // as submitted, and after each of two rounds
  const graph = 1;
  const job = 1;

  for (const sites of [
    ["site-1", "site-2"],
    ["site-1", "site-2", "site-3", "site-4"],
  ]) {
    expect(await signaturesOfJob(sites)).toEqual({
      objects: versions + graph + job,
      sealed: versions + graph,
    });
  }
});
