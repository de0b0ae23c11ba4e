import { expect, test } from "vitest";
import type { SiteDataFiles } from "../../src/site-port/index.ts";
import { startWorker } from "../../src/trainer/start-worker.ts";

test("a worker that cannot do its task is lost, with the reason: nobody waits for it", async () => {
  const files: SiteDataFiles = JSON.parse("null");

  const { port, end, onLost } = startWorker({ kind: "train", data: files, device: "wasm" });
  const reason = await new Promise<string>((resolve) => onLost(resolve));

  expect(reason).toContain("TypeError");
  port.close();
  await end();
});
