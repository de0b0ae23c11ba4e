import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { auditLog } from "@photinus/core/audit";
import { type PolicySource, parsePolicy } from "@photinus/core/authorization";
import { connect, type Federation } from "@photinus/core/console";
import { publicPrivacy } from "@photinus/core/filter";
import type { JobView } from "@photinus/core/message";
import { silentLogger } from "@photinus/core/platform";
import { LOCAL_AUTHORIZATION, type OpenedKit, openKit } from "@photinus/core/provision";
import { Site } from "@photinus/core/site";
import { AUDIT_FILE, openAuditFile } from "@photinus/node-client";
import { nodeCrypto, readKitFolder, systemClock, webSocketConnector } from "@photinus/node-platform";
import { type EmbeddedStorage, openStorage, PhotinusServer } from "@photinus/node-server";
import { expect, onTestFinished, test } from "vitest";
import { PolicyFile } from "../../packages/cli/src/policy/policy-file.ts";
import { temporaryFolder } from "./a-federation.ts";
import { photinus } from "./run-photinus.ts";
import { scriptedTrainer, smallJob } from "./scripted-trainer.ts";

// Two organizations as their administrators have them: kits, policies and records in folders, a real server, real sockets.

const DEFINITION = `
name: hospital-fl
server: { name: hub, org: central, hosts: [127.0.0.1], port: 8443 }
sites:
  - { name: site-n, org: north, security: clear }
  - { name: site-s, org: south, security: clear }
users:
  - { name: alice@example.org, org: north, role: lead }
  - { name: bob@example.org, org: south, role: org_admin }
`;

const crypto = nodeCrypto();
const clock = systemClock();

const policyText = (permissions: unknown): string =>
  JSON.stringify({ format_version: "1.0", permissions }, null, 2);

interface Organizations {
  readonly project: string;
  readonly storage: EmbeddedStorage;
  readonly url: string;
}

async function organizations(policy?: PolicySource): Promise<Organizations> {
  const base = await temporaryFolder();
  await writeFile(join(base, "project.yml"), DEFINITION);
  const project = join(base, "fl");
  await photinus("provision", "-p", join(base, "project.yml"), "-o", project);
  const storage = await openStorage({ folder: join(base, "state") }, { crypto });
  const server = new PhotinusServer(
    { kit: await kitOf(project, "hub"), port: 0, drainMs: 500, ...(policy === undefined ? {} : { policy }) },
    { storage, clock, crypto, logger: silentLogger },
  );
  const { socketUrl: url } = await server.start();
  onTestFinished(async () => {
    await server.stop();
    await storage.close();
  });
  return { project, storage, url };
}

async function kitOf(project: string, name: string): Promise<OpenedKit> {
  const secret = (await readFile(join(project, "secrets", name), "utf8")).trim();
  const files = await readKitFolder(join(project, "kits", name));
  return openKit(files, { nowMs: clock.now(), secret }, { crypto });
}

/** A site on its kit, as `photinus site start` runs it; its records lie in its state folder. */
async function startSite(
  { project, url }: Organizations,
  name: string,
  train: () => number | Promise<number> = () => 1,
) {
  const { identity, root, configuration } = await kitOf(project, name);
  const folder = join(project, "kits", name);
  const state = join(folder, "local", "state");
  const file = await openAuditFile(join(state, AUDIT_FILE), { crypto });
  const audit = auditLog(file, clock);
  const policy = new PolicyFile(join(folder, LOCAL_AUTHORIZATION), { clock, logger: silentLogger, audit });
  await policy.start();
  let trainings = 0;
  const site = new Site(
    {
      ...{ identity, project: configuration.project, root: root.der, serverName: "hub" },
      ...{ dataNames: ["mnist"], runtime: "node", reconnect: { firstMs: 20, longestMs: 100 } },
    },
    {
      ...{ connector: webSocketConnector({ url }), clock, crypto, logger: silentLogger, audit },
      random: { bytes: (length) => crypto.randomBytes(length) },
      privacy: publicPrivacy(),
      createTrainer: scriptedTrainer(() => {
        trainings += 1;
        return train();
      }),
      decideJob: async () => "accept",
      policy: policy.source,
    },
  );
  onTestFinished(async () => {
    await site.stop();
    await policy.stop();
    await file.close();
  });
  site.start();
  await expect.poll(() => site.status.activity, { timeout: 10_000 }).toBe("waiting");
  return { state, policy, trainings: () => trainings };
}

async function connectUser({ project, url }: Organizations, name: string): Promise<Federation> {
  const kit = await kitOf(project, name);
  const user = await connect({ kit, transport: { connector: webSocketConnector({ url }), clock, crypto } });
  onTestFinished(() => user.close());
  return user;
}

const standing = (view: JobView | undefined) =>
  view?.sites.map(({ name, phase, cause, detail = "" }) => [name, phase, cause, detail]);

test("a job is refused by the organization whose policy denies it, with the rule, and trained by the other until the policy is edited", async () => {
  const both = await organizations();
  const southPolicy = join(both.project, "kits", "site-s", LOCAL_AUTHORIZATION);
  await writeFile(southPolicy, policyText({ lead: { submit_job: "o:site" } }));
  const [north, south] = [await startSite(both, "site-n"), await startSite(both, "site-s")];
  const alice = await connectUser(both, "alice@example.org");

  const refused = await (await alice.submit(smallJob(1, 1))).ended();

  expect(refused?.state).toBe("finished");
  expect(standing(refused)).toContainEqual([
    "site-s",
    "refused",
    "ERR_JOB_DECLINED",
    "policy of south: lead.submit_job allows only: o:site",
  ]);
  expect([north.trainings(), south.trainings()]).toEqual([1, 0]);
  const jobId = refused?.jobId ?? "";
  expect(await photinus("audit", "tail", "--state", south.state)).toMatch(
    new RegExp(`refused {2}job {2}${jobId} {2}ERR_FORBIDDEN {2}\\w{64} alice@example\\.org`),
  );
  expect(await photinus("audit", "tail", "--state", north.state)).toMatch(
    new RegExp(`accepted {2}job {2}${jobId} {2}submit {2}\\w{64} alice@example\\.org`),
  );
  expect(await photinus("audit", "verify", "--state", south.state)).toContain("chain verified");

  await writeFile(southPolicy, policyText({ lead: { submit_job: ["o:site", "n:alice@example.org"] } }));
  await expect
    .poll(() => JSON.stringify([...rolesOf(south.policy.source)]), { timeout: 10_000 })
    .toContain("alice");
  const taken = await (await alice.submit(smallJob(1, 2))).ended();

  expect(taken?.state).toBe("finished");
  expect(south.trainings()).toBe(1);
});

/** Conditions of the rules of a policy. */
function rolesOf(source: PolicySource): readonly string[] {
  const policy = source();
  if ("unusable" in policy) return [];
  return [...policy.roles.values()].flatMap((entry) =>
    ("otherwise" in entry ? [entry] : [...entry.values()]).flatMap(({ allowing }) =>
      allowing.map(({ condition }) => condition.text),
    ),
  );
}

test("a job that its submitter ends is over at the site, which verifies the order and records who gave it", async () => {
  const both = await organizations();
  const site = await startSite(both, "site-n", () => new Promise<number>(() => undefined)); // it trains for ever
  const alice = await connectUser(both, "alice@example.org");
  const bob = await connectUser(both, "bob@example.org"); // administers another organization
  const job = await alice.submit(smallJob(1, 1));
  await expect.poll(site.trainings, { timeout: 10_000 }).toBe(1);

  await expect(bob.job(job.jobId).abort()).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
  await job.abort({ reason: "wrong data" });

  expect((await job.ended())?.state).toBe("aborted");
  const records = (): Promise<string> => photinus("audit", "tail", "--state", site.state);
  await expect
    .poll(records, { timeout: 10_000 })
    .toMatch(new RegExp(`accepted {2}job {2}${job.jobId} {2}abort {2}\\w{64} alice@example\\.org`));
  expect(await records()).not.toContain("bob");
});

test("the server's own policy decides who may submit and look; both refusals are on record with their rule", async () => {
  const policy = parsePolicy({
    format_version: "1.0",
    permissions: { lead: { submit_job: "any", view: "n:submitter" }, org_admin: { submit_job: "o:site" } },
  });
  const both = await organizations(() => policy);
  await startSite(both, "site-n");
  const bob = await connectUser(both, "bob@example.org");
  const alice = await connectUser(both, "alice@example.org");

  await expect(bob.submit(smallJob(1, 1))).rejects.toMatchObject({
    code: "ERR_FORBIDDEN",
    message: expect.stringContaining("org_admin.submit_job allows only: o:site"),
  });
  const job = await alice.submit(smallJob(1, 1));
  await expect(bob.job(job.jobId).ended()).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });

  expect((await job.ended())?.state).toBe("finished");
  const refusals: unknown[] = [];
  for await (const { event } of both.storage.audit.read()) {
    if (event.outcome === "refused") refusals.push([event.action, event.reason, event.details]);
  }
  expect(refusals).toEqual([
    ["job", "submit", { rule: "org_admin.submit_job" }],
    ["job", "view", {}],
  ]);
});
