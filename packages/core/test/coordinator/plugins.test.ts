import { expect, test } from "vitest";
import type { DeploymentDefinition } from "../../src/job/index.ts";
import type { Plugin, PluginVerdict, VetoHook } from "../../src/plugin/index.ts";
import type { ResourceSettings, Site } from "../../src/site/index.ts";
import { aBundle, TestFederation } from "./a-federation.ts";

const NO: PluginVerdict = { allowed: false, reason: "not here" };
const WHY = "plug-in approval: not here";
const SMALL = { rounds: 1, minimumSites: 1, waitForSitesMs: 60_000 };
const ONE_LICENCE: DeploymentDefinition = { resources: { "*": { units: { licence: 1 } } } };
const LICENCES: ResourceSettings = { format_version: "1.0", units: { licence: ["a"] } };

/** A plug-in that has one answer to one question. */
function answering(hook: VetoHook, answer: () => PluginVerdict | Promise<PluginVerdict> = () => NO): Plugin {
  return { name: "approval", veto: { [hook]: answer } };
}

const WAYS: readonly (readonly [string, () => PluginVerdict | Promise<PluginVerdict>, string])[] = [
  ["refuses", () => NO, WHY],
  ["fails", () => Promise.reject(new Error("secret words")), "plug-in approval: it failed to decide"],
  ["hangs", () => new Promise(() => undefined), "plug-in approval: it did not answer within 5000 ms"],
];

/** A site with plug-ins of its own. */
function siteWith(federation: TestFederation, name: string, ...plugins: readonly Plugin[]): Site {
  const modules = { plugins: federation.pluginHost(plugins), resources: () => LICENCES };
  return federation.site(name, { modules });
}

/** How a site stands in a job that has ended, or waits. */
async function standing(federation: TestFederation, jobId: string, site: string) {
  const { sites } = await federation.view(jobId);
  const found = sites.find(({ name }) => name === site);
  return { phase: found?.phase, cause: found?.cause, detail: found?.detail };
}

test.each(WAYS)(
  "a server's plug-in that %s at login lets nobody in, who reads why",
  async (_, answer, why) => {
    const federation = await TestFederation.start({ plugins: [answering("login", answer)] });
    const site = federation.site("site-1");

    await federation.clock.advance(6000);

    expect(federation.coordinator.sites()).toEqual([]);
    expect(site.status).toMatchObject({
      activity: "refused",
      fault: { code: "ERR_PLUGIN_REFUSED", detail: expect.stringContaining(why) },
    });
    await federation.stop();
  },
);

test("a site's plug-in that refuses the server ends the session, and the site waits long", async () => {
  const federation = await TestFederation.start();
  const site = siteWith(federation, "site-1", answering("login"));

  await federation.clock.advance(1000);

  expect(federation.coordinator.sites()).toEqual([]);
  expect(site.status.activity).toBe("refused");
  await federation.stop();
});

test.each(WAYS)(
  "a plug-in that %s at submission refuses the job, and the submitter reads why",
  async (_, answer, why) => {
    const federation = await TestFederation.start({ plugins: [answering("submission", answer)] });
    const user = await federation.user();

    const submitted = federation.clock.runUntil(user.submit(aBundle(SMALL)));

    await expect(submitted).rejects.toMatchObject({
      code: "ERR_PLUGIN_REFUSED",
      message: expect.stringContaining(why),
    });
    expect(await federation.coordinator.jobs()).toEqual([]);
    await federation.stop();
  },
);

test.each(WAYS)(
  "a server's plug-in that %s at deployment keeps the job from one site, which people see",
  async (_, answer, why) => {
    const plugin: Plugin = {
      name: "approval",
      veto: { deployment: ({ site }) => (site === "site-1" ? answer() : { allowed: true }) },
    };
    const federation = await TestFederation.start({ plugins: [plugin] });
    federation.site("site-1");
    federation.site("site-2");
    await federation.clock.settle();

    const jobId = await federation.submit(SMALL);
    const { state, history } = await federation.untilEnd(jobId);

    expect(state).toBe("finished");
    expect(history[0]?.contributions.map(({ site }) => site)).toEqual(["site-2"]);
    expect(await standing(federation, jobId, "site-1")).toEqual({
      phase: "refused",
      cause: "ERR_PLUGIN_REFUSED",
      detail: why,
    });
    await federation.stop();
  },
);

test.each(WAYS)(
  "a site's plug-in that %s at deployment declines the job with its reason",
  async (_, answer, why) => {
    const federation = await TestFederation.start();
    siteWith(federation, "site-1", answering("deployment", answer));
    await federation.clock.settle();

    const jobId = await federation.submit(SMALL);
    await federation.clock.advance(6000);

    expect(await standing(federation, jobId, "site-1")).toMatchObject({ phase: "refused", detail: why });
    await federation.stop();
  },
);

test.each(WAYS)("a plug-in that %s at a command keeps it from its effect", async (_, answer, why) => {
  const federation = await TestFederation.start({ plugins: [answering("command", answer)] });
  const jobId = await federation.submit(SMALL);
  const user = await federation.user();

  const aborted = federation.clock.runUntil(user.job(jobId).abort());

  await expect(aborted).rejects.toMatchObject({
    code: "ERR_PLUGIN_REFUSED",
    message: expect.stringContaining(why),
  });
  expect((await federation.view(jobId)).state).toBe("waiting");
  await federation.stop();
});

test("a plug-in is not asked about a command that the policy refuses", async () => {
  let asked = 0;
  const plugin = answering("command", () => {
    asked += 1;
    return NO;
  });
  const federation = await TestFederation.start({ plugins: [plugin] });
  const jobId = await federation.submit(SMALL);
  const member = await federation.user("member@example.org");

  await expect(federation.clock.runUntil(member.job(jobId).abort())).rejects.toMatchObject({
    code: "ERR_FORBIDDEN",
  });

  expect(asked).toBe(0);
  await federation.stop();
});

test.each([
  ["server", [answering("resourceCheck")], []],
  ["site", [], [answering("resourceCheck")]],
] as const)(
  "a %s's plug-in that refuses the resource check is what the site lacks",
  async (_, plugins, ofSite) => {
    const federation = await TestFederation.start({ plugins });
    siteWith(federation, "site-1", ...ofSite);
    await federation.clock.settle();

    const jobId = await federation.submit(SMALL, { deployment: ONE_LICENCE });
    const { end } = await federation.untilEnd(jobId, 3_600_000);

    expect(end?.detail).toContain(`site-1: ${WHY}`);
    await federation.stop();
  },
);

test.each([
  ...WAYS.map(([how, answer, why]) => ["server", "taskData", how, answer, why] as const),
  ...WAYS.map(([how, answer, why]) => ["server", "taskResult", how, answer, why] as const),
  ...WAYS.map(([how, answer, why]) => ["site", "taskData", how, answer, why] as const),
  ...WAYS.map(([how, answer, why]) => ["site", "taskResult", how, answer, why] as const),
])(
  "a %s's plug-in that is asked at %s and %s refuses the task, with one cause and a record",
  async (where, hook, _how, answer, why) => {
    const plugin = answering(hook, answer);
    const federation = await TestFederation.start(where === "server" ? { plugins: [plugin] } : {});
    siteWith(federation, "site-1", ...(where === "site" ? [plugin] : []));
    await federation.clock.settle();

    const jobId = await federation.submit(SMALL);
    const { history } = await federation.untilEnd(jobId);

    expect(history[0]?.contributions).toMatchObject([
      { site: "site-1", outcome: "refused", cause: "ERR_PLUGIN_REFUSED" },
    ]);
    const records = (await federation.records()).filter(({ event }) => event.action === "plugin");
    expect(records[0]?.event).toMatchObject({
      ...{ object: "approval", outcome: "refused", correlation: jobId },
      details: { hook, why: why.replace("plug-in approval: ", "") },
    });
    await federation.stop();
  },
);

test("plug-ins learn of a whole job, and reach no byte, key or tensor by what they are told", async () => {
  const facts: unknown[] = [];
  const events: string[] = [];
  const look = (given: unknown): PluginVerdict => {
    facts.push(given);
    return { allowed: true };
  };
  const hear = (event: string) => (given: unknown) => {
    events.push(event);
    facts.push(given);
  };
  const names = [
    "started",
    "connected",
    "jobSubmitted",
    "jobDeployed",
    "jobDecided",
    "jobStarted",
    "jobEnded",
    "roundStarted",
    "roundEnded",
    "bestModel",
    "task",
    "taskAnswered",
    "resultSent",
    "disconnected",
    "stopped",
  ];
  const veto = {
    login: look,
    submission: look,
    deployment: look,
    command: look,
    resourceCheck: look,
    taskData: look,
    taskResult: look,
  };
  const on = (side: string) => Object.fromEntries(names.map((name) => [name, hear(`${side} ${name}`)]));
  const federation = await TestFederation.start({ plugins: [{ name: "look", on: on("server"), veto }] });
  siteWith(federation, "site-1", { name: "look", on: on("site"), veto });
  await federation.clock.settle();

  const jobId = await federation.submit(SMALL, { deployment: ONE_LICENCE });
  await federation.untilEnd(jobId);
  await federation.stop();

  const expected = [
    ...names.filter((name) => name !== "resultSent").map((name) => `server ${name}`),
    ...[
      "started",
      "connected",
      "jobDecided",
      "task",
      "resultSent",
      "jobEnded",
      "disconnected",
      "stopped",
    ].map((name) => `site ${name}`),
  ];
  expect([...new Set(events)].sort()).toEqual(expected.sort());
  const parts = facts.flatMap(partsOf);
  expect(parts.filter((part) => typeof part === "object" && part !== null && !Object.isFrozen(part))).toEqual(
    [],
  );
  expect(
    parts.filter(
      (part) =>
        ArrayBuffer.isView(part) ||
        part instanceof ArrayBuffer ||
        typeof part === "function" ||
        part instanceof CryptoKey,
    ),
  ).toEqual([]);
  const secret = /private|secret|token|storageKey|session/i;
  expect(facts.flatMap(keysOf).filter((key) => secret.test(key))).toEqual([]);
  expect(JSON.stringify(facts)).not.toContain("09".repeat(32)); // the storage key
});

/** A value and everything within it, prototypes' own properties too. */
function partsOf(value: unknown): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [value];
  return [value, ...Reflect.ownKeys(value).flatMap((key) => partsOf(Reflect.get(value, key)))];
}

function keysOf(value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, part]) => [key, ...keysOf(part)]);
}
