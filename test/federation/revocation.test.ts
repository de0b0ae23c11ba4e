import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toHex } from "@photinus/core/bytes";
import { publicPrivacy } from "@photinus/core/filter";
import { createCertificateRequest, type Identity, loadIdentity, RevocationLists } from "@photinus/core/pki";
import { silentLogger } from "@photinus/core/platform";
import {
  LOCAL_REVOCATION_LIST,
  LOCAL_REVOKED_SITES,
  type OpenedKit,
  openKit,
  parseJoinFragment,
} from "@photinus/core/provision";
import { enrolOverSession } from "@photinus/core/session";
import { Site } from "@photinus/core/site";
import {
  nodeCrypto,
  readKitFolder,
  revocationFolder,
  systemClock,
  webSocketConnector,
} from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import { expect, onTestFinished, test } from "vitest";
import { main } from "../../packages/cli/src/main.ts";
import { capturedStreams } from "../../packages/cli/test/captured-streams.ts";
import { MNIST, temporaryFolder } from "./a-federation.ts";
import { photinus } from "./run-photinus.ts";
import { scriptedTrainer } from "./scripted-trainer.ts";

// Folders as an administrator has them, the commands that he uses, a real server, real sockets.

const DEFINITION = `
name: hospital-fl
server: { name: hub, org: central, hosts: [127.0.0.1], port: 8443 }
sites:
  - { name: site-1, org: north, security: clear }
  - { name: site-2, org: south, security: clear }
users:
  - { name: alice@example.org, org: central, role: lead }
`;

/** The machine may be busy: the limit of a second for a revocation is asserted where time is virtual. */
const SOON = { timeout: 10_000 };
const crypto = nodeCrypto();
const clock = systemClock();

/** A project as `photinus provision` makes it. */
async function aProject(): Promise<string> {
  const base = await temporaryFolder();
  await writeFile(join(base, "project.yml"), DEFINITION);
  await photinus("provision", "-p", join(base, "project.yml"), "-o", join(base, "fl"));
  return join(base, "fl");
}

async function kitOf(project: string, name: string): Promise<OpenedKit> {
  const secret = (await readFile(join(project, "secrets", name), "utf8")).trim();
  return openKit(
    await readKitFolder(join(project, "kits", name)),
    { nowMs: clock.now(), secret },
    { crypto },
  );
}

interface Running {
  readonly server: PhotinusServer;
  readonly url: string;
  readonly actions: () => Promise<readonly string[]>;
  readonly stop: () => Promise<void>;
}

/** The server of a project on its folders, as `photinus server start` runs it. */
async function aServer(project: string, state: string): Promise<Running> {
  const storage = await openStorage({ folder: state }, { crypto });
  const kit = await kitOf(project, "hub");
  const revocationFile = join(project, "kits", "hub", LOCAL_REVOCATION_LIST);
  const revokedSitesFile = join(project, "kits", "hub", LOCAL_REVOKED_SITES);
  const server = new PhotinusServer(
    { kit, port: 0, drainMs: 500, revocationFile, revokedSitesFile },
    { storage, clock, crypto, logger: silentLogger },
  );
  const { socketUrl } = await server.start();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= server.stop().then(() => storage.close());
    return stopping;
  };
  onTestFinished(stop);
  return {
    server,
    url: socketUrl,
    stop,
    async actions() {
      const actions: string[] = [];
      for await (const { event } of storage.audit.read()) actions.push(`${event.action} ${event.object}`);
      return actions;
    },
  };
}

/** A site of the project; what it has seen of revocation lists stays in its folder. */
async function aSite(project: string, name: string, url: string, own?: Identity): Promise<Site> {
  const { identity: ofKit, root, configuration } = await kitOf(project, own === undefined ? name : "site-2");
  const identity = own ?? ofKit;
  const state = join(project, "kits", name, "local", "state", toHex(root.digest));
  const site = new Site(
    {
      ...{ identity, project: configuration.project, root: root.der, serverName: "hub" },
      ...{ dataNames: ["mnist"], runtime: "node", reconnect: { firstMs: 20, longestMs: 100 } },
    },
    {
      ...{ connector: webSocketConnector({ url }), clock, crypto, logger: silentLogger },
      random: { bytes: (length) => crypto.randomBytes(length) },
      privacy: publicPrivacy(),
      createTrainer: scriptedTrainer(() => 0),
      decideJob: async () => "accept",
      revocations: new RevocationLists(
        { project: configuration.project, root: root.der },
        { crypto, clock, store: revocationFolder(state) },
      ),
    },
  );
  onTestFinished(() => site.stop());
  site.start();
  return site;
}

test("photinus revoke ends the session of a site while the server runs; the site stops, keeps its kit, and others go on", async () => {
  const project = await aProject();
  const server = await aServer(project, join(await temporaryFolder(), "state"));
  const [revoked, other] = [
    await aSite(project, "site-1", server.url),
    await aSite(project, "site-2", server.url),
  ];
  await expect.poll(() => revoked.status.activity, SOON).toBe("waiting");
  await expect.poll(() => other.status.activity, SOON).toBe("waiting");

  const out = await photinus(
    ...["revoke", "site-1", "-p", project, "--kit", join(project, "kits", "hub")],
    ...["--reason", "keyCompromise", "--json"],
  );

  expect(JSON.parse(out)).toMatchObject({ number: 2, revoked: 1 });
  await expect.poll(() => revoked.status.activity, SOON).toBe("refused");
  expect(revoked.status).toMatchObject({ retryAtMs: undefined, fault: { code: "ERR_REVOKED" } });
  expect(other.status.activity).toBe("waiting");
  expect((await kitOf(project, "site-1")).identity.participant.name).toBe("site-1");
  await expect.poll(server.actions, SOON).toContain("revoked site-1");
  expect(await server.actions()).toContain("revocation hospital-fl root");

  const again = await aSite(project, "site-1", server.url);
  await expect.poll(() => again.status.fault?.code, SOON).toBe("ERR_REVOKED");
});

test("a server that was set back to its first list is refused by a site that has seen the next one", async () => {
  const project = await aProject();
  const state = join(await temporaryFolder(), "state");
  const server = await aServer(project, state);
  const site = await aSite(project, "site-2", server.url);
  await photinus("revoke", "site-1", "-p", project, "--kit", join(project, "kits", "hub"));
  const folder = join(project, "kits", "site-2", "local", "state");
  const seen = async (): Promise<number | undefined> => {
    const { root } = await kitOf(project, "site-2");
    const options = { project: "hospital-fl", root: root.der };
    const store = revocationFolder(join(folder, toHex(root.digest)));
    const lists = new RevocationLists(options, { crypto, clock, store });
    await lists.load();
    return lists.ofRoot?.number;
  };
  await expect.poll(seen, SOON).toBe(2);
  await site.stop();
  await server.stop();

  await rm(state, { recursive: true });
  await rm(join(project, "kits", "hub", LOCAL_REVOCATION_LIST));
  const setBack = await aServer(project, state);
  const returned = await aSite(project, "site-2", setBack.url);

  await expect.poll(() => returned.status.fault?.code, SOON).toBe("ERR_CRL_ROLLBACK");
});

test("a server remembers the newest list, whatever lies in its kit", async () => {
  const project = await aProject();
  const state = join(await temporaryFolder(), "state");
  const first = await aServer(project, state);
  await photinus("revoke", "site-1", "-p", project, "--kit", join(project, "kits", "hub"));
  const site = await aSite(project, "site-2", first.url);
  await expect.poll(first.actions, SOON).toContain("revocation hospital-fl root");
  await site.stop();
  await first.stop();
  await rm(join(project, "kits", "hub", LOCAL_REVOCATION_LIST));

  const second = await aServer(project, state);
  const refused = await aSite(project, "site-1", second.url);

  await expect.poll(() => refused.status.fault?.code, SOON).toBe("ERR_REVOKED");
});

test("photinus revoke refuses a name that the project does not have, and burns no number", async () => {
  const project = await aProject();
  const { texts, streams } = capturedStreams();
  const before = await readFile(join(project, "root", "root.crl"), "utf8");

  const code = await main(["revoke", "nobody", "-p", project], { streams });

  expect(code).toBe(4);
  expect(texts.err).toContain("ERR_PARTICIPANT_UNKNOWN");
  expect(await readFile(join(project, "root", "root.crl"), "utf8")).toBe(before);
});

test("photinus revoke --pages ends the session of a site that joined by a link, which may not join again", async () => {
  const project = await aProject();
  const { server, url, actions } = await aServer(project, join(await temporaryFolder(), "state"));
  const enrol = async (): Promise<Identity> => {
    const invited = await server.invite({
      org: "guests",
      prefix: "guest",
      uses: 1,
      expiresAtMs: clock.now() + 60_000,
    });
    const link = parseJoinFragment(invited);
    const signingKey = await crypto.generateSigningKey(1);
    const request = await createCertificateRequest({ commonName: "guest-1" }, signingKey, { crypto });
    const connection = await webSocketConnector({ url }).connect(new AbortController().signal);
    const { chain, root } = await enrolOverSession(
      connection,
      { ...link, inviteCode: link.code, request, signingKey },
      { crypto, clock },
    );
    const expected = { root, project: "hospital-fl", nowMs: clock.now() };
    return await loadIdentity({ chain, signingKey }, expected, { crypto });
  };
  const identity = await enrol();
  const site = await aSite(project, identity.participant.name, url, identity);
  await expect.poll(() => site.status.activity, SOON).toBe("waiting");

  await photinus("revoke", "guest-1", "--pages", "--kit", join(project, "kits", "hub"));

  await expect.poll(() => site.status.fault?.code, SOON).toBe("ERR_REVOKED");
  expect(site.status).toMatchObject({ activity: "refused", retryAtMs: undefined });
  expect(await actions()).toContain("revocation hospital-fl enrolment");
  // Another guest may join; whoever had that name may not come back under it.
  expect((await enrol()).participant.name).not.toBe("guest-1");
});

test("photinus site start ends with a remedy when its certificate is revoked, and leaves the kit as it is", async () => {
  const project = await aProject();
  const { server, url } = await aServer(project, join(await temporaryFolder(), "state"));
  const { texts, streams } = capturedStreams();
  const kit = join(project, "kits", "site-1");
  const secret = join(project, "secrets", "site-1");
  const running = main(
    ["site", "start", "--kit", kit, "--passphrase-file", secret, "--data", MNIST, "--server", url],
    { streams },
  );
  await expect.poll(() => server.coordinator.sites().map(({ name }) => name), SOON).toEqual(["site-1"]);

  await photinus("revoke", "site-1", "-p", project, "--kit", join(project, "kits", "hub"));

  expect(await running).toBe(2);
  expect(texts.err).toMatch(/^ERR_REVOKED .*\n {2}Remedy: /m);
  await photinus("kit", "verify", kit);
});
