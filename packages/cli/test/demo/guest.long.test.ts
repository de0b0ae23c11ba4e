import { expect, test } from "vitest";
import { startDemo } from "./demo-process.ts";
import { joinAsGuest } from "./guest.ts";

test("a page that joins after the last round gets a job of its own", async () => {
  const { child, ended, texts } = await startDemo(
    "--rounds",
    "2",
    "--sites",
    "2",
    "--model",
    "mlp",
    "--port",
    "0",
  );
  await expect.poll(() => texts.out, { timeout: 60_000 }).toMatch(/^Done: /m);
  const [link = ""] = /http:\S+\/join#\S+/.exec(texts.out) ?? [];

  await joinAsGuest(link);
  await expect.poll(() => texts.out, { timeout: 60_000 }).toMatch(/^Job finished: /m);
  child.kill("SIGINT");

  expect((await ended).code).toBe(130);
  expect(texts.out).toMatch(/^guest-1 joined/m);
  expect(texts.out.match(/^\[round \d\/2\] 3 sites {2}3 accepted/gm)).toHaveLength(2);
});
