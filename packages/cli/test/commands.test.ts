import { once } from "node:events";
import { readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { folder, run } from "./run-photinus.ts";

const DEFINITION = `
name: hospital-fl
server: { name: hub, org: central, hosts: [127.0.0.1], port: 8443 }
sites:
  - { name: site-1, org: north }
users:
  - { name: alice@example.org, org: central, role: lead }
`;

/** A provisioned project in a folder of its own. */
async function aProject(): Promise<string> {
  const base = await folder();
  await writeFile(join(base, "project.yml"), DEFINITION);
  const { code, err } = await run("provision", "-p", join(base, "project.yml"), "-o", join(base, "fl"));
  expect(code, err).toBe(0);
  return join(base, "fl");
}

test("provision makes a kit for each participant and keeps the secrets apart, for their owner only", async () => {
  const project = await aProject();

  for (const name of ["hub", "site-1", "alice@example.org"]) {
    const { code, out } = await run("kit", "verify", join(project, "kits", name));
    expect(code).toBe(0);
    expect(out).toContain("all as signed");
    const secret = join(project, "secrets", name);
    expect((await stat(secret)).mode & 0o777).toBe(0o600);
    expect((await readFile(secret, "utf8")).trim()).toMatch(/^[\w-]{22}$/);
  }
});

test("kit inspect says whose kit it is, as an object with --json", async () => {
  const project = await aProject();

  const { out } = await run("kit", "inspect", join(project, "kits", "site-1"), "--json");

  expect(JSON.parse(out)).toMatchObject({
    project: "hospital-fl",
    participant: "site-1",
    role: "site",
    org: "north",
    security: "mtls",
    addresses: "wss://127.0.0.1:8443/ws",
  });
});

test("kit verify ends with 7 and names the file that was changed", async () => {
  const kit = join(await aProject(), "kits", "site-1");
  await writeFile(join(kit, "config.json"), "{}");

  const { code, err } = await run("kit", "verify", kit);

  expect(code).toBe(7);
  expect(err).toMatch(/^ERR_KIT_FILE_CHANGED config\.json.*\n {2}Remedy: /);
});

test.each([
  ["no secret at all", [], "--passphrase-fd"],
  ["a secret file that is missing", ["--passphrase-file", "/nowhere"], "cannot be read"],
])("a kit with %s is not opened", async (_case, secret, text) => {
  const project = await aProject();

  const { code, err } = await run(
    "site",
    "start",
    "--kit",
    join(project, "kits", "site-1"),
    "--data",
    "/",
    ...secret,
  );

  expect(code).toBe(4);
  expect(err).toContain(text);
});

test("a kit with the secret of another is not opened, and the secret is not told", async () => {
  const project = await aProject();
  const secret = join(project, "secrets", "alice@example.org");

  const { code, err } = await run(
    ...["site", "start", "--kit", join(project, "kits", "site-1")],
    ...["--data", "/", "--passphrase-file", secret],
  );

  expect(code).toBe(4);
  expect(err).toMatch(/^ERR_KEY_UNREADABLE /);
  expect(err).not.toContain((await readFile(secret, "utf8")).trim());
});

test("the kit of a site does not start a server", async () => {
  const project = await aProject();

  const { code, err } = await run(
    ...[
      "server",
      "start",
      "--kit",
      join(project, "kits", "site-1"),
      "--state",
      join(await folder(), "state"),
    ],
    ...["--passphrase-file", join(project, "secrets", "site-1")],
  );

  expect(code).toBe(4);
  expect(err).toContain("that of a site, expected a server's");
});

test("a project that demands TLS on both sides is not served in clear", async () => {
  const project = await aProject();

  const { code, err } = await run(
    ...["server", "start", "--kit", join(project, "kits", "hub"), "--state", join(await folder(), "state")],
    ...["--passphrase-file", join(project, "secrets", "hub"), "--clear"],
  );

  expect(code).toBe(4);
  expect(err).toContain("every site was provisioned for mtls");
});

test("a server that cannot hand out its token ends, and nothing of it goes on to listen", async () => {
  const project = await aProject();
  const base = await folder();

  const { code, out } = await run(
    ...["server", "start", "--kit", join(project, "kits", "hub"), "--state", join(base, "state")],
    ...["--passphrase-file", join(project, "secrets", "hub"), "--port", "0", "--no-pages"],
    ...["--token-file", join(base, "missing", "token")],
  );

  expect(code).not.toBe(0);
  const [, port] = /wss:\/\/127\.0\.0\.1:(\d+)\/ws/.exec(out) ?? [];
  const refused = once(connect(Number(port), "127.0.0.1"), "connect");
  await expect(refused).rejects.toMatchObject({ code: "ECONNREFUSED" });
});
