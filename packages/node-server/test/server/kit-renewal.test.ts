import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HostError } from "@photinus/core/errors";
import { silentLogger } from "@photinus/core/platform";
import { virtualClock } from "@photinus/core/testing";
import { type LoadedKit, prometheusMetrics } from "@photinus/node-server";
import { expect, onTestFinished, test, vi } from "vitest";
import { KitRenewal } from "../../src/server/kit-renewal.ts";
import { aFolder } from "../http/host.ts";
import { anOpenedKit } from "./an-opened-kit.ts";

const LOOK_MS = 1_000;

/** A renewal over one real file, whose text is the certificate; "broken" is unusable. */
async function aRenewal(settle?: () => Promise<void>) {
  const folder = await aFolder({ "certificate.pem": "first" });
  const file = join(folder, "certificate.pem");
  const clock = virtualClock(settle === undefined ? {} : { settle });
  const kit = await anOpenedKit();
  const metrics = prometheusMetrics();
  const presented: string[] = [];
  const refusals: string[] = [];
  let content = "first";
  const renewal = new KitRenewal(
    {
      files: [file, join(folder, "missing.pem")],
      load: async () => {
        if (content === "unreadable") throw new HostError("ERR_CONFIG_INVALID", "unreadable");
        return { kit, tls: { certificate: content, privateKey: "" } };
      },
    },
    {
      ...{ clock, metrics, logger: silentLogger },
      take: async ({ tls }: LoadedKit) => {
        if (tls?.certificate === "broken") throw new HostError("ERR_CONFIG_INVALID", "broken");
        presented.push(tls?.certificate ?? "");
      },
      refused: async (code) => void refusals.push(code),
    },
  );
  await renewal.start();
  onTestFinished(() => renewal.stop());
  const write = async (text: string): Promise<void> => {
    content = text;
    await writeFile(file, text);
  };
  const counted = async (outcome: string): Promise<boolean> =>
    (await metrics.render()).includes(`photinus_tls_reloads_total{outcome="${outcome}"} 1`);
  const look = async (): Promise<void> => {
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
    await clock.advance(LOOK_MS);
    await vi.waitFor(() => expect(clock.pendingTimers).toBe(1));
  };
  return { clock, look, renewal, presented, refusals, write, counted };
}

test("a certificate whose file was exchanged is presented", async () => {
  const { look, presented, write, counted } = await aRenewal();

  await write("second one");
  await look();
  expect(presented).toEqual([]); // half of it perhaps
  await look();

  await vi.waitFor(() => expect(presented).toEqual(["second one"]));
  expect(await counted("taken")).toBe(true);
});

test.each(["broken", "unreadable"])(
  "what is %s leaves the one before, is counted, and mended later",
  async (text) => {
    const { look, renewal, presented, refusals, write, counted } = await aRenewal();
    await write(text);

    expect(await renewal.reload()).toBe(false);

    expect(presented).toEqual([]);
    expect(refusals).toEqual(["ERR_CONFIG_INVALID"]);
    expect(await counted("ERR_CONFIG_INVALID")).toBe(true);
    await write("mended certificate");
    await look();
    await look();
    await vi.waitFor(() => expect(presented).toEqual(["mended certificate"]));
  },
);

test("is read anew when it is asked for, changed or not; files that stay are not read", async () => {
  const { clock, renewal, presented } = await aRenewal();

  await clock.advance(10 * LOOK_MS);
  expect(presented).toEqual([]);

  expect(await renewal.reload()).toBe(true);
  expect(presented).toEqual(["first"]);
});

test("a look that is under way when it is stopped exchanges nothing afterwards", async () => {
  // The files have not answered yet when a look has begun.
  const { clock, look, renewal, presented, write } = await aRenewal(() => Promise.resolve());
  await write("second one");
  await look();

  await clock.advance(LOOK_MS);
  await renewal.stop();
  const atStop = [...presented];
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));

  expect(presented).toEqual(atStop);
});
