import { chromium, type Page } from "@playwright/test";
import { buildPages } from "../scripts/build-pages.ts";
import { findChromium } from "../scripts/chromium.ts";
import { startDemo } from "../test/e2e/running-demo.ts";
import type { BenchmarkOptions, BenchmarkResult } from "./benchmark.ts";
import { distributionOf } from "./paired.ts";

/** From the link to the first update that counts, in s. */
const TARGET_S = 15;
const REPEATS = 5;
/** A page that takes longer is a failure and not a figure, in ms. */
const LIMIT_MS = 120_000;

/** A person who reads nothing: each button is pressed as soon as it may be. */
async function join(page: Page, link: string): Promise<number> {
  page.setDefaultTimeout(LIMIT_MS);
  const press = (name: string): Promise<void> => page.getByRole("button", { name, exact: true }).click();
  const begin = performance.now();
  await page.goto(link);
  await press("Check this device");
  await press("Choose data");
  await press("Use demo data");
  await press("Connect and see the task");
  await page.getByRole("checkbox").check();
  await press("Agree and start");
  const counted = page.locator("photinus-join dl.figures > div", { hasText: "Counted" }).locator("dd");
  await counted.filter({ hasText: /^\s*[1-9]/ }).waitFor();
  return (performance.now() - begin) / 1000;
}

/**
 * How long a person waits who opens a join link: a fresh browser without caches or keys, the demo with its CNN and two Node
 * sites on the same machine, to the server's word that the first update counted.
 */
export async function run({ log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  await buildPages();
  const demo = await startDemo({ rounds: 1000, sites: 2, model: "cnn" });
  const browser = await chromium.launch({ executablePath: await findChromium(), args: ["--no-sandbox"] });
  try {
    const seconds: number[] = [];
    for (let repeat = 1; repeat <= REPEATS; repeat++) {
      signal.throwIfAborted();
      const context = await browser.newContext();
      seconds.push(await join(await context.newPage(), demo.join));
      await context.close();
      log(`${repeat} of ${REPEATS}: ${seconds.at(-1)?.toFixed(1)} s`);
    }
    const { median, spread, count } = distributionOf(seconds);
    return {
      benchmark: "join",
      metrics: {
        joinToUpdateSeconds: {
          ...{ value: median, unit: "s", reference: TARGET_S, ratio: median / TARGET_S, spread },
        },
        longestSeconds: { value: Math.max(...seconds), unit: "s" },
        joins: { value: count, unit: "joins" },
      },
    };
  } finally {
    await browser.close();
    await demo.stop();
  }
}
