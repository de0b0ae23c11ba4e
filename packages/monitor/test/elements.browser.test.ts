// In the browser only: it tests elements.
import "../src/define.ts";
import { JobError } from "@photinus/core/errors";
import type { ObservationSource } from "@photinus/core/message/observation";
import axe from "axe-core";
import { afterEach, expect, test, vi } from "vitest";
import type { PhotinusElement, PhotinusFeed } from "../src/index.ts";
import {
  aContribution,
  aRunningJob,
  aSite,
  type PushedSource,
  PushedSource as Source,
  sourceOf,
} from "./fixtures.ts";

const TAGS = [
  "photinus-job-status",
  "photinus-round-chart",
  "photinus-round-timeline",
  "photinus-sites",
] as const;

afterEach(() => document.body.replaceChildren());

function mount<Tag extends (typeof TAGS)[number]>(
  tag: Tag,
  source?: ObservationSource,
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (source !== undefined) element.source = source;
  document.body.append(element);
  return element;
}

/** Until what was pushed has been rendered and measured: a frame for the size, a turn for the source, Lit's promise. */
async function settle(...elements: readonly PhotinusElement[]): Promise<void> {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    for (const element of elements) await element.updateComplete;
  }
}

const textOf = (element: PhotinusElement): string =>
  (element.shadowRoot?.textContent ?? "").replaceAll(/[ \n]+/g, " ");

function all(element: PhotinusElement, selector: string): Element[] {
  return [...(element.shadowRoot?.querySelectorAll(selector) ?? [])];
}

test.each(TAGS)("%s has no accessibility violation, running, empty, loading or failed", async (tag) => {
  const failing: PushedSource = new Source();
  failing.fail(new JobError("ERR_JOB_UNKNOWN", "the server knows no job x"));
  for (const source of [sourceOf(aRunningJob()), undefined, new Source(), failing]) {
    const element = mount(tag, source);
    await settle(element);
    const { violations } = await axe.run(element, { rules: { region: { enabled: false } } });
    expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
    element.remove();
  }
});

test.each(TAGS)(
  "%s writes no style attribute, which a strict content security policy forbids",
  async (tag) => {
    const element = mount(tag, sourceOf(aRunningJob()));
    await settle(element);

    expect(all(element, "[style]")).toEqual([]);
  },
);

test("a site that takes no part shows what it said, as text, however long", async () => {
  document.body.innerHTML = `<div style="width: 320px"></div>`;
  const detail = `policy of south: lead.submit_job allows only: o:${"x".repeat(150)} <img src=x>`;
  const site = aSite("clinic-s", { org: "south", phase: "refused", cause: "ERR_JOB_DECLINED", detail });
  const element = document.createElement("photinus-sites");
  element.source = sourceOf(aRunningJob({ sites: [aSite("clinic-n", { org: "north", detail: "" }), site] }));
  document.body.firstElementChild?.append(element);
  await settle(element);

  expect(textOf(element)).toContain(detail);
  expect(all(element, "small.cause")).toHaveLength(1);
  expect(all(element, "img")).toEqual([]);
  expect(element.scrollWidth).toBeLessThanOrEqual(320);
});

test.each(TAGS)("%s never grows wider than its container", async (tag) => {
  document.body.innerHTML = `<div class="narrow"></div>`;
  const box = document.querySelector<HTMLElement>(".narrow");
  if (box === null) throw new Error("no container");
  box.style.width = "320px";
  const element = document.createElement(tag);
  element.source = sourceOf(aRunningJob({ rounds: 39 }));
  box.append(element);
  await settle(element);

  expect(element.getBoundingClientRect().width).toBe(320);
  expect(box.scrollWidth).toBe(320);
});

test.each(TAGS)("%s shows what failed, with code and remedy", async (tag) => {
  const source: PushedSource = new Source();
  source.fail(new JobError("ERR_JOB_UNKNOWN", "the server knows no job x"));
  const element = mount(tag, source);
  await settle(element);

  expect(textOf(element)).toContain("the server knows no job x");
  expect(textOf(element)).toContain("Check the job id. ERR_JOB_UNKNOWN");
});

test("the states can be replaced by slots", async () => {
  const element = mount("photinus-sites");
  element.innerHTML = `<p slot="empty">Nothing yet</p>`;
  await settle(element);

  const slot = element.shadowRoot?.querySelector("slot[name=empty]");
  expect(slot instanceof HTMLSlotElement && slot.assignedElements()[0]?.textContent).toBe("Nothing yet");
});

test("the status shows the present round, the newest figures and what changed", async () => {
  const status = mount("photinus-job-status", sourceOf(aRunningJob()));
  await settle(status);

  expect(textOf(status)).toContain("Round 7 of 10");
  expect(textOf(status)).toContain("94.3\u202f% +0.9on 2,000 held-out examples");
  expect(textOf(status)).toContain("Sites connected 4 of 5");
  expect(all(status, ".segments .done")).toHaveLength(6);
  expect(all(status, ".segments .now")).toHaveLength(1);
});

test("the status tells why a job failed and what to do", async () => {
  const status = mount(
    "photinus-job-status",
    sourceOf(aRunningJob({ state: "failed", reason: "ERR_JOB_TOO_FEW_SITES" })),
  );
  await settle(status);

  expect(textOf(status)).toContain(
    "ERR_JOB_TOO_FEW_SITES Start more sites, or lower minimumSites of the job.",
  );
});

test("an increment changes what is shown", async () => {
  const source = sourceOf(aRunningJob());
  const sites = mount("photinus-sites", source);
  await settle(sites);

  source.push({
    kind: "increment",
    sequence: 2,
    change: { kind: "site", site: aSite("site-9", { phase: "training", progress: 0.5 }) },
  });

  await expect.poll(() => textOf(sites)).toContain("site-9 Training 50\u202f%");
});

test("increments that come close one behind the other are drawn together, and the last one is shown", async () => {
  const source = sourceOf(aRunningJob());
  const sites = mount("photinus-sites", source);
  await settle(sites);
  const drawn = vi.spyOn(sites, "requestUpdate");

  for (let sequence = 2; sequence < 42; sequence++) {
    const site = aSite("site-9", { phase: "training", progress: sequence / 100 });
    source.push({ kind: "increment", sequence, change: { kind: "site", site } });
    await Promise.resolve(); // each is taken in a turn of its own
  }

  await expect.poll(() => textOf(sites)).toContain("site-9 Training 41\u202f%");
  expect(drawn.mock.calls.length).toBeLessThan(4);
});

test("sites that need somebody come first", async () => {
  const sites = mount("photinus-sites", sourceOf(aRunningJob()));
  await settle(sites);

  expect(all(sites, ".name").map(({ textContent }) => textContent)).toEqual([
    "site-3",
    "site-5",
    "lab-browser",
    "site-1",
    "site-2",
  ]);
});

test("a long list of sites is cut until somebody asks for all", async () => {
  const many = Array.from({ length: 120 }, (_, index) => aSite(`site-${index}`));
  const sites = mount("photinus-sites", sourceOf(aRunningJob({ sites: many })));
  await settle(sites);
  expect(all(sites, "li")).toHaveLength(50);

  all(sites, "button").map((button) => button instanceof HTMLElement && button.click());
  await settle(sites);

  expect(all(sites, "li")).toHaveLength(120);
});

test("the timeline names the one cause of each contribution that did not count, newest first", async () => {
  const timeline = mount("photinus-round-timeline", sourceOf(aRunningJob()));
  await settle(timeline);

  expect(
    all(timeline, ".incident").map(({ textContent }) => textContent?.replaceAll(/[ \n]+/g, " ").trim()),
  ).toEqual([
    expect.stringMatching(/^Round 7, site-3 refused ERR_CONTRIBUTION_NOT_FINITE Lower the learning rate/),
    expect.stringMatching(/^Round 5, site-3 missing ERR_CONTRIBUTION_MISSING /),
    expect.stringMatching(/^Round 3, site-2 late ERR_CONTRIBUTION_LATE /),
  ]);
});

test("the timeline shows the phase of each site in the running round and says it in words", async () => {
  const timeline = mount("photinus-round-timeline", sourceOf(aRunningJob()));
  await settle(timeline);

  const present = all(timeline, "tbody tr").map((row) => [
    row.querySelector("th")?.textContent,
    row.querySelectorAll("td")[6]?.querySelector(".sr")?.textContent,
  ]);
  expect(present).toEqual([
    ["lab-browser", "Uploading"],
    ["site-1", "accepted"],
    ["site-2", "Training"],
    ["site-3", "refused"],
    ["site-5", "Disconnected"],
  ]);
});

test("the chart says its newest figures to those who do not see it", async () => {
  const chart = mount("photinus-round-chart", sourceOf(aRunningJob()));
  await settle(chart);

  const image = all(chart, "[role=img]")[0];
  expect(image?.getAttribute("aria-label")).toBe(
    "Accuracy and loss by round. after round 6: accuracy 94.3\u202f%, loss 0.193",
  );
  expect(all(chart, ".curve.accuracy circle")).toHaveLength(7);
});

test("the chart turns into a table and back", async () => {
  const chart = mount("photinus-round-chart", sourceOf(aRunningJob()));
  await settle(chart);
  const toggle = all(chart, "button")[0] as HTMLButtonElement;

  toggle.click();
  await settle(chart);
  expect(all(chart, "tbody tr")).toHaveLength(7);
  expect(toggle.getAttribute("aria-pressed")).toBe("true");

  toggle.click();
  await settle(chart);
  expect(all(chart, ".curve")).toHaveLength(2);
});

test("the chart marks the point under the pointer", async () => {
  const chart = mount("photinus-round-chart", sourceOf(aRunningJob()));
  await settle(chart);

  const image = all(chart, "[role=img]")[0];
  const box = image?.getBoundingClientRect();
  image?.dispatchEvent(
    new PointerEvent("pointermove", { clientX: (box?.left ?? 0) + 60, clientY: (box?.top ?? 0) + 40 }),
  );
  await settle(chart);

  expect(textOf(chart)).toContain("as submitted");
});

test("the keyboard leads along the curve and back to the newest figures", async () => {
  const chart = mount("photinus-round-chart", sourceOf(aRunningJob()));
  await settle(chart);
  const image = all(chart, "[role=img]")[0];
  const press = async (key: string): Promise<void> => {
    image?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    await settle(chart);
  };

  await press("ArrowLeft");
  expect(textOf(chart)).toContain("after round 5");
  await press("Home");
  expect(textOf(chart)).toContain("as submitted");
  await press("ArrowRight");
  expect(image?.getAttribute("aria-label")).toContain("after round 1: accuracy 78.1");
  await press("Escape");
  expect(textOf(chart)).toContain("after round 6");
});

test("elements inside a feed share one connection", async () => {
  const source = sourceOf(aRunningJob());
  const feed = document.createElement("photinus-feed") as PhotinusFeed;
  feed.source = source;
  feed.innerHTML = TAGS.map((tag) => `<${tag}></${tag}>`).join("");
  document.body.append(feed);
  const elements = TAGS.map((tag) => feed.querySelector(tag)).filter((element) => element !== null);
  await settle(...elements);

  expect(source.observed).toBe(1);
  for (const element of elements) expect(all(element, "h2")).toHaveLength(1);
});

test("elements inside a feed follow when it observes another job", async () => {
  const feed = document.createElement("photinus-feed") as PhotinusFeed;
  feed.source = sourceOf(aRunningJob());
  feed.innerHTML = "<photinus-job-status></photinus-job-status>";
  document.body.append(feed);
  const status = feed.querySelector("photinus-job-status");
  if (status === null) throw new Error("no status");
  await settle(status);

  feed.source = sourceOf(aRunningJob({ name: "Another" }));
  await settle(status);

  expect(textOf(status)).toContain("Another");
});

test("an element that leaves the page stops observing", async () => {
  let wasAborted = false;
  const source: ObservationSource = {
    async *observe(signal) {
      signal.addEventListener("abort", () => {
        wasAborted = true;
      });
      yield { kind: "snapshot", sequence: 1, job: aRunningJob() };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
  const status = mount("photinus-job-status", source);
  await settle(status);

  status.remove();

  expect(wasAborted).toBe(true);
});

test("an element tells its page about each change", async () => {
  const names: string[] = [];
  document.body.addEventListener(
    "photinus-update",
    (event) => names.push(event instanceof CustomEvent ? event.detail.name : ""),
    { once: true },
  );
  const status = mount("photinus-job-status", sourceOf(aRunningJob()));
  await settle(status);

  expect(names).toEqual(["MNIST digits"]);
});

test("a job of many rounds and sites is drawn within bounds", async () => {
  const history = Array.from({ length: 400 }, (_, index) => ({
    round: index + 1,
    startedAtMs: index,
    endedAtMs: index + 1,
    contributions: [aContribution("site-1")],
    evaluation: { accuracy: 0.5, loss: 1, exampleCount: 10 },
    bytesDown: 0,
    bytesUp: 0,
  }));
  const job = aRunningJob({ rounds: 100_000, history });
  const timeline = mount("photinus-round-timeline", sourceOf(job));
  const status = mount("photinus-job-status", sourceOf(job));
  await settle(timeline, status);

  expect(all(timeline, "thead th")).toHaveLength(101);
  expect(all(status, ".segments i")).toHaveLength(50);
});
