import { chromium, type Page } from "@playwright/test";
import { buildPages } from "../scripts/build-pages.ts";
import { findChromium } from "../scripts/chromium.ts";
import { startDemo } from "../test/e2e/running-demo.ts";
import type { BenchmarkOptions, BenchmarkResult, Metric } from "./benchmark.ts";
import { distributionOf } from "./paired.ts";

/** From the link to the first update that counts, in s. */
const TARGET_S = 15;
const REPEATS = 5;
/** A page that takes longer is a failure and not a figure, in ms. */
const LIMIT_MS = 120_000;

/** What a person waits for, in order; each phase ends where the next begins. */
const PHASES = [
  "open",
  "device",
  "data",
  "connect",
  "prepare",
  "wait",
  "evaluate",
  "train",
  "commit",
] as const;
type Phase = (typeof PHASES)[number];

/** What the page says first in each phase that begins by itself. */
const SAYS: Partial<Record<Phase, string>> = {
  prepare: "Preparing the model",
  wait: "Waiting for the next round",
  evaluate: "Trying the model",
  train: "Training",
  commit: "Sending what the model learned",
};

/** What the page said, and since when in ms. */
interface Said {
  readonly text: string;
  readonly at: number;
}

/** When phases ended, ms. */
type Ends = { [P in Phase]?: number | undefined };

/** Seconds of each phase. A phase that was not seen took no time. */
type Seconds = Readonly<Record<Phase, number>>;

/** A person who reads nothing: each button is pressed as soon as it may be. */
async function join(page: Page, link: string): Promise<Seconds> {
  page.setDefaultTimeout(LIMIT_MS);
  const press = (name: string): Promise<void> => page.getByRole("button", { name, exact: true }).click();
  const ends: Ends = {};
  const begin = Date.now();
  await page.goto(link);
  await press("Check this device");
  ends.open = Date.now();
  await press("Choose data");
  ends.device = Date.now();
  await press("Use demo data");
  await page.locator("photinus-join .pictures").waitFor();
  ends.data = Date.now();
  await press("Connect and see the task");
  await page.getByRole("checkbox").check();
  await press("Agree and start");
  ends.connect = Date.now();
  const said = await page.evaluate(watchActivity);
  ends.commit = Date.now();
  for (const [index, phase] of PHASES.entries()) ends[phase] ??= startOf(PHASES[index + 1], said);
  return secondsOf(begin, ends);
}

/** Runs in the page. What its line of state says and since when, until an update has counted. */
async function watchActivity(): Promise<readonly Said[]> {
  const root = document.querySelector("photinus-join")?.shadowRoot;
  const said: Said[] = [];
  for (;;) {
    const text = root?.querySelector(".state-line span:not(.push)")?.textContent?.trim() ?? "";
    if (text !== said.at(-1)?.text) said.push({ text, at: Date.now() });
    if (/^\s*[1-9]/.test(root?.querySelector("dl.figures dd")?.textContent ?? "")) return said;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** When the page first said what it says in a phase. */
function startOf(phase: Phase | undefined, said: readonly Said[]): number | undefined {
  const words = phase && SAYS[phase];
  return words === undefined ? undefined : said.find(({ text }) => text.startsWith(words))?.at;
}

function secondsOf(begin: number, ends: Readonly<Ends>): Seconds {
  let before = begin;
  const took = (phase: Phase): number => {
    const sinceMs = before;
    before = ends[phase] ?? before;
    return (before - sinceMs) / 1000;
  };
  const [open, device, data, connect] = [took("open"), took("device"), took("data"), took("connect")];
  const [prepare, wait, evaluate] = [took("prepare"), took("wait"), took("evaluate")];
  return {
    open,
    device,
    data,
    connect,
    prepare,
    wait,
    evaluate,
    train: took("train"),
    commit: took("commit"),
  };
}

const total = (seconds: Seconds): number => Object.values(seconds).reduce((sum, value) => sum + value, 0);

/**
 * How long a person waits who opens a join link: a fresh browser without caches or keys, the demo with its CNN and two Node
 * sites on the same machine, to the server's word that the first update counted.
 */
export async function run({ log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  await buildPages();
  const demo = await startDemo({ rounds: 1000, sites: 2, model: "cnn" });
  const browser = await chromium.launch({ executablePath: await findChromium(), args: ["--no-sandbox"] });
  try {
    const joins: Seconds[] = [];
    for (let repeat = 1; repeat <= REPEATS; repeat++) {
      signal.throwIfAborted();
      const context = await browser.newContext();
      const seconds = await join(await context.newPage(), demo.join);
      joins.push(seconds);
      await context.close();
      log(`${repeat} of ${REPEATS}: ${total(seconds).toFixed(1)} s`);
    }
    const { median, spread, count } = distributionOf(joins.map(total));
    return {
      benchmark: "join",
      metrics: {
        joinToUpdateSeconds: {
          ...{ value: median, unit: "s", reference: TARGET_S, ratio: median / TARGET_S, spread },
        },
        ...phaseMetrics(joins),
        longestSeconds: { value: Math.max(...joins.map(total)), unit: "s" },
        joins: { value: count, unit: "joins" },
      },
    };
  } finally {
    await browser.close();
    await demo.stop();
  }
}

function phaseMetrics(joins: readonly Seconds[]): Record<string, Metric> {
  return Object.fromEntries(
    PHASES.map((phase) => [
      `${phase}Seconds`,
      { value: distributionOf(joins.map((seconds) => seconds[phase])).median, unit: "s" },
    ]),
  );
}
