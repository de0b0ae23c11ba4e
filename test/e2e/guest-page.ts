import { expect, type Locator, type Page } from "@playwright/test";

/** A button by its exact name. */
export const button = (page: Page, name: string): Locator => page.getByRole("button", { name, exact: true });

/** The figure beside its name on the page that trains. */
export const figure = (page: Page, name: string): Locator =>
  page
    .locator("photinus-join dl.figures > div", { has: page.getByText(name, { exact: true }) })
    .locator("dd");

/** Looks at a step of the page before it goes on. */
export type Look = (name: string) => Promise<void>;

/** Leads a page from the first step to a connection: device check, demo data, connect. */
export async function leadToConnection(page: Page, look: Look = async () => undefined): Promise<void> {
  await leadToData(page, look);
  await button(page, "Use demo data").click();
  await expect(page.getByText("examples to learn from")).toBeVisible();
  await look("join-data");
  await button(page, "Connect and see the task").click();
}

/** Leads a page from the first step to the choice of data. */
export async function leadToData(page: Page, look: Look = async () => undefined): Promise<void> {
  await expect(button(page, "Check this device")).toBeEnabled();
  await look("join-what");
  await button(page, "Check this device").click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("This device trains by", {
    timeout: 60_000,
  });
  await look("join-device");
  await button(page, "Choose data").click();
}

/** Agrees to the task that the page shows. */
export async function agree(page: Page, look: Look = async () => undefined): Promise<void> {
  await expect(button(page, "Agree and start")).toBeVisible({ timeout: 30_000 });
  await expect(page.getByRole("checkbox")).not.toBeChecked();
  await expect(button(page, "Agree and start")).toBeDisabled();
  await look("join-agreement");
  await page.getByRole("checkbox").check();
  await button(page, "Agree and start").click();
}

/** Waits until the server counted contributions of this page. */
export async function expectCounted(page: Page): Promise<void> {
  await expect(figure(page, "Counted")).toContainText(/^[1-9]/, { timeout: 90_000 });
}
