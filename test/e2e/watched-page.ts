import { AxeBuilder } from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** What a page must never do, collected from its first request on. */
export interface PageWatch {
  /** Requests to another origin than the server's. */
  readonly foreign: string[];
  /** Violations of the content security policy, and errors on the console. */
  readonly complaints: string[];
}

/** Begins to watch; called before the page goes anywhere. */
export async function watchPage(page: Page, origin: string): Promise<PageWatch> {
  const watch: PageWatch = { foreign: [], complaints: [] };
  page.on("request", (request) => {
    const url = request.url();
    if (!/^(data|blob):/.test(url) && new URL(url).origin.replace(/^ws/, "http") !== origin)
      watch.foreign.push(url);
  });
  page.on("websocket", (socket) => {
    if (new URL(socket.url()).origin.replace(/^ws/, "http") !== origin) watch.foreign.push(socket.url());
  });
  page.on("pageerror", (error) => watch.complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") watch.complaints.push(message.text());
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
      console.error(`content security policy: ${violatedDirective} ${blockedURI}`);
    });
  });
  return watch;
}

/** No request to a third party, no violation of the policy, no error. */
export function expectQuiet({ foreign, complaints }: PageWatch): void {
  expect(foreign).toEqual([]);
  expect(complaints).toEqual([]);
}

/** axe finds nothing, shadow roots included. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
}

/** Pictures at the two widths that are looked at, and no horizontal scroll bar at either. */
export async function photograph(page: Page, name: string): Promise<void> {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await page.screenshot({ path: `test-results/screens/${name}-${width}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}
