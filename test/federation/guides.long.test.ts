import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "./a-federation.ts";
import { runGuide } from "./guide-runner.ts";

// Every command of the guides, in its order, in an empty folder, with servers and sites as processes.

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const place = async () => ({ folder: await temporaryFolder(), port: await freePort() });

test("the guide of a project's administrator goes from an empty folder to records from which a name was erased", async () => {
  const { printed, commands } = await runGuide("project-admin.md", await place());

  expect(commands).toBeGreaterThan(20);
  expect(printed).toContain("chain verified");
  expect(printed.split("audit erase")[1]).toMatch(/[1-9]\d* values? erased/);
});

test("the guide of an organization's administrator tries and installs each policy, and is kept to the own organization", async () => {
  const { printed } = await runGuide("org-admin.md", await place());

  expect(printed).toContain(
    "refused  submit_job  lead.submit_job refuses: not n:eve@south.org  authorization.json:6:",
  );
  expect(printed).toContain("2 passed, 0 failed");
  expect(printed).toContain("2 GPUs of 24 GiB, 24 GiB");
  expect(printed).toContain("ERR_FORBIDDEN");
});

test("the guide of a site's operator checks, starts and stops a site, and reads what it recorded and witnessed", async () => {
  const { printed } = await runGuide("site-operator.md", await place());

  expect(printed).toContain("ok       login");
  expect(printed).toMatch(/witnessed heads? in it/);
});

test("the guide of a researcher ends with a trained model", async () => {
  const { printed, folder } = await runGuide("researcher.md", await place());

  expect(printed).toMatch(/Job \w{32} finished: rounds done, 3 rounds/);
  const metrics = JSON.parse(await readFile(join(folder, "result/metrics.json"), "utf8"));
  expect(metrics.rounds.at(-1).evaluation.accuracy).toBeGreaterThan(0.85);
});
