import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Federation } from "../../src/console/index.ts";
import type { JobDefinition } from "../../src/job/index.ts";
import { blobRequest, jobAccept, jobReady } from "../../src/message/index.ts";
import { encodeRoster, parseRoster, type Roster } from "../../src/provision/index.ts";
import { type TestProject, testProject } from "../../src/testing/index.ts";
import { aBundle, TestFederation } from "./a-federation.ts";
import { RawSite } from "./raw-site.ts";

const [ANN, BOB, CID] = ["ann@example.org", "bob@example.org", "cid@example.org"] as const;
const NOBODY = "0".repeat(32);

const site = (name: string, jurisdiction: string) => ({ name, org: "example", jurisdiction });
const north = {
  name: "north",
  sites: ["site-1", "site-2"],
  members: [{ name: ANN }, { name: CID, role: "member" as const }],
};
const south = { name: "south", sites: ["site-2", "site-3"], members: [{ name: BOB }, { name: CID }] };
const DEFINITION = {
  sites: [site("site-1", "DE"), site("site-2", "FR"), site("site-3", "US-CA")],
  scopes: ["public"],
  studies: [north, south],
};
const rosterOf = (changes: Partial<typeof DEFINITION> = {}): Roster =>
  parseRoster(encodeRoster({ ...DEFINITION, ...changes }));

let project: TestProject;

beforeAll(async () => {
  const sites = ["site-1", "site-2", "site-3"];
  project = await testProject({ sites, users: [ANN, BOB, CID].map((name) => ({ name })) });
});

const small = (definition: Partial<JobDefinition>) => {
  const bundle = aBundle({ rounds: 1, minimumSites: 1, waitForSitesMs: 1000 });
  return { ...bundle, definition: { ...bundle.definition, ...definition } };
};

/** What a user is told of something that fails, without the id that he named. */
async function refusalOf(federation: TestFederation, work: Promise<unknown>): Promise<string> {
  const failure = await federation.clock.runUntil(work.catch((error: unknown) => error));
  const { code, message } = failure as { code: string; message: string };
  return `${code} ${message.replaceAll(/[0-9a-f]{32}/g, "ID")}`;
}

const drained = async (items: AsyncIterable<unknown>): Promise<void> => {
  for await (const _ of items);
};

type Ask = (user: Federation, jobId: string) => Promise<unknown>;
const PATHS: readonly (readonly [string, Ask])[] = [
  ["watch", (user, id) => drained(user.job(id).views())],
  ["result", (user, id) => user.job(id).result()],
  ["best model", (user, id) => user.job(id).model("best")],
  ["graph", (user, id) => user.job(id).graph()],
  ["clone", (user, id) => user.job(id).clone()],
  ["abort", (user, id) => user.job(id).abort()],
  ["delete", (user, id) => user.job(id).delete()],
];

describe("a job of a study", () => {
  let federation: TestFederation;
  let users: ReadonlyMap<string, Federation>;
  let jobId = "";
  let deleted = "";

  const user = (name: string): Federation => {
    const found = users.get(name);
    if (found === undefined) throw new RangeError(name);
    return found;
  };
  const until = <T>(work: Promise<T>): Promise<T> => federation.clock.runUntil(work);

  beforeAll(async () => {
    federation = await TestFederation.start({ project, roster: () => rosterOf() });
    federation.site("site-2", { site: { studies: ["north", "south"] } });
    users = new Map([
      [ANN, await federation.user(ANN)],
      [BOB, await federation.user(BOB)],
      [CID, await federation.user(CID)],
    ]);
    jobId = (await until(user(ANN).submit(small({ study: "north" })))).jobId;
    await federation.untilEnd(jobId);
    const gone = await until(user(ANN).submit(small({ study: "north" })));
    await federation.untilEnd(gone.jobId);
    await until(gone.delete());
    deleted = gone.jobId;
  });

  afterAll(() => federation.stop());

  test("stands in the lists of its members alone, of all their studies or of one", async () => {
    const idsOf = async (name: string, study?: string) => {
      const listed = await until(user(name).jobs(study === undefined ? {} : { study }));
      return listed.map((job) => [job.jobId, job.study]);
    };

    expect(await idsOf(ANN)).toEqual([[jobId, "north"]]);
    expect(await idsOf(CID)).toEqual([[jobId, "north"]]);
    expect(await idsOf(CID, "south")).toEqual([]);
    expect(await idsOf(BOB)).toEqual([]);
    expect(await idsOf(BOB, "north")).toEqual([]);
  });

  test.each(PATHS)(
    "is not there for others who ask for %s, as one that was deleted and one that never was",
    async (_, ask) => {
      const told = await refusalOf(federation, ask(user(BOB), NOBODY));

      expect(told).toBe("ERR_JOB_UNKNOWN there is no job ID");
      expect(await refusalOf(federation, ask(user(BOB), jobId))).toBe(told);
      expect(await refusalOf(federation, ask(user(BOB), deleted))).toBe(told);
      expect(await refusalOf(federation, ask(user(ANN), deleted))).toMatch(/^ERR_JOB_DELETED/);
    },
  );

  test("is on record when others asked for it, as one that never was", async () => {
    await refusalOf(federation, user(BOB).job(jobId).result());
    await refusalOf(federation, user(BOB).job(NOBODY).result());

    const { leafDigest: _, ...bob } = { ...project.users.get(BOB)?.participant };
    const refused = (await federation.records()).filter(
      ({ event }) => event.outcome === "refused" && event.actor.endsWith(bob.name ?? "?"),
    );
    const [one, other] = refused.slice(-2).map(({ event }) => event);
    expect([one?.object, other?.object]).toEqual([jobId, NOBODY]);
    expect(one?.details).toEqual(other?.details);
  });

  test("is not there for somebody of another study who signed in on the dashboard", async () => {
    const { coordinator } = federation;
    const by = (name: string) => ({
      actor: { name, org: "example", role: "lead" as const },
      recordedAs: `oidc ${name}`,
    });
    const { signal } = new AbortController();
    const watch = (name: string, id: string) => drained(coordinator.observe(id, { by: by(name), signal }));

    expect((await coordinator.jobs(by(ANN))).map((job) => job.jobId)).toEqual([jobId]);
    expect(await coordinator.jobs(by(BOB))).toEqual([]);
    await watch(ANN, jobId);
    for (const id of [jobId, deleted, NOBODY]) {
      expect(await refusalOf(federation, watch(BOB, id))).toBe("ERR_JOB_UNKNOWN there is no job ID");
      expect(await refusalOf(federation, coordinator.abort(id, by(BOB)))).toBe(
        "ERR_JOB_UNKNOWN there is no job ID",
      );
    }
  });

  test("is not there for a reader whose token is of another study", async () => {
    const { signal } = new AbortController();
    const read = (id: string, study: string) =>
      drained(federation.coordinator.observe(id, { study, signal }));

    await read(jobId, "north");
    for (const id of [jobId, NOBODY]) {
      expect(await refusalOf(federation, read(id, "south"))).toBe("ERR_JOB_UNKNOWN there is no job ID");
    }
  });

  test("gives each member the role that the study gives", async () => {
    const cid = user(CID);
    await drained(cid.job(jobId).views());

    expect(await refusalOf(federation, cid.job(jobId).result())).toMatch(/^ERR_FORBIDDEN role member/);
    expect(await refusalOf(federation, cid.submit(small({ study: "north" })))).toMatch(
      /^ERR_FORBIDDEN role member/,
    );
    const own = await until(cid.submit(small({ study: "south" })));
    expect(await federation.untilEnd(own.jobId)).toMatchObject({ state: "finished" });
  });

  test("is handed in for a study that one is in: one that is not there is answered alike", async () => {
    const submit = (name: string, definition: Partial<JobDefinition>) =>
      refusalOf(federation, user(name).submit(small(definition)));

    expect(await submit(BOB, { study: "north" })).toBe(
      `ERR_JOB_INVALID study: there is no study north for ${BOB}`,
    );
    expect(await submit(BOB, { study: "nowhere" })).toBe(
      `ERR_JOB_INVALID study: there is no study nowhere for ${BOB}`,
    );
    expect(await submit(BOB, {})).toBe("ERR_JOB_INVALID study: this project has studies: name one of yours");
    const last = (await federation.records()).at(-1);
    expect(last?.event).toMatchObject({ action: "job", outcome: "refused", reason: "submit" });
  });

  test.each([
    ["deployment.sites.1", { sites: ["site-1", "site-9"] }, "site-9"],
    ["deployment.sites.0", { sites: ["site-3"] }, "site-3"],
    ["deployment.mandatorySites.0", { mandatorySites: ["site-3"] }, "site-3"],
    ["deployment.resources.site-9", { resources: { "*": {}, "site-9": {} } }, "site-9"],
  ])(
    "that names at %s a site which its study has not is refused, there or not",
    async (path, deployment, name) => {
      const told = await refusalOf(federation, user(ANN).submit(small({ study: "north", deployment })));

      expect(told).toBe(`ERR_JOB_INVALID ${path}: study north has no site ${name}`);
      expect((await federation.records()).at(-1)?.event.details).toMatchObject({ code: "ERR_JOB_INVALID" });
    },
  );

  test("whose scope the project has not is refused", async () => {
    const told = await refusalOf(federation, user(ANN).submit(small({ study: "north", scope: "secret" })));

    expect(told).toBe("ERR_JOB_INVALID scope: the project has no scope secret");
  });
});

describe("sites of a study", () => {
  test("work for it, and others are told as of a job that is not there, whatever they say", async () => {
    const federation = await TestFederation.start({ project, roster: () => rosterOf() });
    const stranger = await RawSite.connect(federation, "site-3");
    const own = await RawSite.connect(federation, "site-1");
    const ann = await federation.user(ANN);
    const { jobId } = await federation.clock.runUntil(ann.submit(small({ study: "north" })));
    await federation.clock.advance(1);

    const say = async (id: string): Promise<readonly string[]> => {
      const before = stranger.ended.length;
      await stranger.session.send(jobAccept, { jobId: id, terms: "" });
      await stranger.session.send(jobReady, {
        ...{ jobId: id, device: "cpu", trainingExamples: 1, heldOutExamples: 1 },
      });
      await stranger.session.send(blobRequest, { jobId: id, root: new Uint8Array(32) });
      await federation.clock.advance(1);
      return stranger.ended.slice(before).map((line) => line.replace(id, "ID"));
    };

    expect(await say(jobId)).toEqual(await say(NOBODY));
    expect(stranger.tasks).toEqual([]);
    expect(own.tasks.map((task) => task.jobId)).toEqual([jobId]);
    expect((await federation.view(jobId)).sites.map(({ name }) => name)).toEqual(["site-1"]);
    await federation.stop();
  });

  test("refuse a job of another study themselves, and one that names none, whatever the server says", async () => {
    const federation = await TestFederation.start({ project, roster: () => rosterOf() });
    federation.site("site-1", { site: { studies: ["south"] } });
    federation.site("site-2", { site: { studies: [] } });
    const ann = await federation.user(ANN);
    const job = await federation.clock.runUntil(ann.submit(small({ study: "north" })));

    await federation.untilEnd(job.jobId);

    const { state, sites } = await federation.view(job.jobId);
    expect(state).toBe("failed");
    for (const { phase, detail } of sites) {
      expect([phase, detail]).toEqual(["refused", "this site is not in the study of the job"]);
    }
    expect(sites).toHaveLength(2);
    await federation.stop();
  });

  test("change with the project: who has left sees nothing more, not even by what was open", async () => {
    let roster = rosterOf();
    const federation = await TestFederation.start({ project, roster: () => roster });
    const ann = await federation.user(ANN);
    const job = await federation.clock.runUntil(ann.submit(small({ study: "north" })));
    const watching = drained(job.views());
    watching.catch(() => undefined); // looked at below
    await federation.clock.advance(1);

    roster = rosterOf({ studies: [{ ...north, members: [] }, south] });
    federation.coordinator.rosterChanged();
    federation.site("site-1", { site: { studies: ["north"] } });

    expect(await refusalOf(federation, watching)).toBe("ERR_JOB_UNKNOWN there is no job ID");
    expect(await federation.clock.runUntil(ann.jobs())).toEqual([]);
    await federation.stop();
  });
});

describe("a job that stays within places", () => {
  const refused = async (definition: Partial<JobDefinition>, jurisdiction?: string): Promise<string> => {
    const { studies: _, ...plain } = DEFINITION;
    const federation = await TestFederation.start({
      ...{ project, roster: () => parseRoster(encodeRoster(plain)) },
      coordinator: jurisdiction === undefined ? {} : { jurisdiction },
    });
    const ann = await federation.user(ANN);
    const told = await refusalOf(federation, ann.submit(small(definition)));
    await federation.stop();
    return told;
  };

  test("is refused when the server, a site that it names or too many of all are elsewhere", async () => {
    expect(await refused({ residency: ["EU"] })).toBe("ERR_JOB_INVALID residency: the server lies nowhere");
    expect(await refused({ residency: ["EU"] }, "US")).toBe(
      "ERR_JOB_INVALID residency: the server lies in US",
    );
    expect(await refused({ residency: ["EU"], deployment: { sites: ["site-1", "site-3"] } }, "DE")).toBe(
      "ERR_JOB_INVALID deployment.sites.1: site-3 lies in US-CA, the job stays within EU",
    );
    const workflow = { ...small({}).definition.workflow, minimumSites: 3 };
    expect(await refused({ residency: ["EU"], workflow }, "DE")).toBe(
      "ERR_JOB_INVALID residency: 2 of 3 sites lie within EU",
    );
    expect(await refused({ study: "north" })).toBe(
      `ERR_JOB_INVALID study: there is no study north for ${ANN}`,
    );
  });

  test("goes to sites that are there, and each looks for itself", async () => {
    const { studies: _, ...plain } = DEFINITION;
    const roster = parseRoster(encodeRoster(plain));
    const federation = await TestFederation.start({
      ...{ project, roster: () => roster, coordinator: { jurisdiction: "DE" } },
    });
    federation.site("site-1", { site: { jurisdiction: "DE" } });
    federation.site("site-2", { site: { jurisdiction: "CH" } });
    federation.site("site-3", { site: { jurisdiction: "US-CA" } });
    const ann = await federation.user(ANN);
    const job = await federation.clock.runUntil(ann.submit(small({ residency: ["EU"] })));

    await federation.untilEnd(job.jobId);

    const { state, sites } = await federation.view(job.jobId);
    expect(state).toBe("finished");
    expect(sites.map(({ name, detail = "" }) => [name, detail]).sort()).toEqual([
      ["site-1", ""],
      ["site-2", "the job stays within EU, this site lies in CH"],
    ]);
    await federation.stop();
  });
});
