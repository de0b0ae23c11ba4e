import { expect, test } from "vitest";
import { parsePolicy, policyAuthorizer } from "../../src/authorization/index.ts";
import { listJobs } from "../../src/coordinator/list-jobs.ts";
import { Studies } from "../../src/coordinator/studies.ts";
import { LISTS_AT_ONCE } from "../../src/coordinator/user-routes.ts";
import { type JobRecord, JobStore, jobCursor } from "../../src/job/index.ts";
import { type Listed, type ListedJob, MAX_LISTED } from "../../src/message/index.ts";
import { memoryMetadata } from "../../src/testing/index.ts";
import { aBundle, TestFederation } from "../coordinator/a-federation.ts";

const ZERO = "00".repeat(32);

const record = (index: number, submitter = "lead@example.org"): JobRecord => ({
  ...{ stateVersion: 1, jobId: index.toString(16).padStart(32, "0"), name: `job ${index}` },
  ...{ state: "waiting", reason: "", submittedAtMs: 1_000 + Math.floor(index / 2) },
  submitter: { name: submitter, org: "north", role: "lead", leafDigest: "00".repeat(32) },
  ...{ object: ZERO, graph: ZERO, initialModel: ZERO, last: { version: 0, checkpoint: ZERO } },
});

/** A store that counts how many records are read. */
async function storeOf(records: readonly JobRecord[]) {
  const metadata = memoryMetadata();
  const read = { records: 0 };
  const jobs = new JobStore({
    ...metadata,
    get: (key) => {
      read.records += 1;
      return metadata.get(key);
    },
    list: (prefix, page) => {
      if (page === undefined) throw new Error("a page of jobs reads no whole list");
      return metadata.list(prefix, page);
    },
  });
  for (const each of records) await jobs.create(each);
  return { jobs, metadata, read };
}

const lead = { name: "lead@example.org", org: "north", role: "lead" } as const;

const studies = new Studies({}, { metadata: memoryMetadata() });

function decidedBy(view: string) {
  const policy = parsePolicy({ format_version: "1.0", permissions: { lead: { view } } }, () => "policy");
  return policyAuthorizer("north", () => policy);
}

const after = ({ next = "" }: Listed<ListedJob>) => ({ most: MAX_LISTED, after: next });

test("a long list comes in pages, the newest first, each job once, also when jobs share a time or are gone", async () => {
  const records = Array.from({ length: 2 * MAX_LISTED + 1 }, (_, index) => record(index));
  const { jobs, metadata, read } = await storeOf(records);
  const modules = { jobs, studies, authorizer: decidedBy("any") };

  const newestFirst = records.map(({ jobId }) => jobId).reverse();

  const first = await listJobs(lead, { most: MAX_LISTED }, modules);
  expect(read.records).toBe(MAX_LISTED + 1);
  await metadata.delete(`job/${first.entries.at(-1)?.jobId}`); // the one that the cursor names
  const second = await listJobs(lead, after(first), modules);
  const third = await listJobs(lead, after(second), modules);

  const pages = [first, second, third].map(({ entries }) => entries);
  expect(pages.map(({ length }) => length)).toEqual([MAX_LISTED, MAX_LISTED, 1]);
  expect(pages.flat().map(({ jobId }) => jobId)).toEqual(newestFirst);
  expect(third.next).toBeUndefined();
  const [before = record(0)] = records;
  await metadata.delete(`job-order/${jobCursor(before)}`); // as of a storage from before there were places
  const all = new JobStore(metadata);
  await all.keepOrder();
  expect((await listJobs(lead, after(second), { ...modules, jobs: all })).entries).toHaveLength(1);
});

test("a user is shown the jobs that he may view, and no others", async () => {
  const { jobs } = await storeOf([record(1), record(2, "other@example.org")]);

  const { entries } = await listJobs(
    lead,
    { most: MAX_LISTED },
    { jobs, studies, authorizer: decidedBy("n:submitter") },
  );

  expect(entries.map(({ name }) => name)).toEqual(["job 1"]);
  expect(
    (await listJobs(lead, { most: MAX_LISTED }, { jobs, studies, authorizer: decidedBy("none") })).entries,
  ).toEqual([]);
});

test("a user lists the jobs, fetches the graph that was handed in, and others may not", async () => {
  const federation = await TestFederation.start();
  for (const name of ["site-1", "site-2"]) federation.site(name);
  const jobId = await federation.submit();
  await federation.untilEnd(jobId);
  const user = await federation.user();
  const member = await federation.user("member@example.org");

  const listed = await federation.clock.runUntil(user.jobs());
  const graph = await federation.clock.runUntil(user.job(jobId).graph());

  expect(listed).toMatchObject([
    { jobId, name: "line", state: "finished", reason: "rounds done", submitter: "lead@example.org" },
  ]);
  expect(graph).toEqual(new Uint8Array(1000).fill(5));
  await expect(federation.clock.runUntil(member.job(jobId).graph())).rejects.toMatchObject({
    code: "ERR_FORBIDDEN",
  });
  await expect(federation.clock.runUntil(user.job("0".repeat(32)).graph())).rejects.toMatchObject({
    code: "ERR_JOB_UNKNOWN",
  });
  await federation.stop();
});

test("whoever watches a job goes on watching when the line breaks, and is told each round once", async () => {
  const federation = await TestFederation.start({ latencyMs: 20 });
  for (const name of ["site-1", "site-2"]) federation.site(name);
  const user = await federation.user();
  const job = await federation.clock.runUntil(user.submit(aBundle({ rounds: 4 })));
  const watched = (async () => {
    const numbers: number[] = [];
    for await (const { number } of job.rounds()) {
      numbers.push(number);
      if (number === 2) federation.connections.get("lead@example.org")?.cut();
    }
    return numbers;
  })();

  expect(await federation.clock.runUntil(watched)).toEqual([1, 2, 3, 4]);
  expect(federation.attempts.get("lead@example.org")).toBe(2);
  await federation.stop();
});

test("a session that asks for lists without end is held back, and answered again a second later", async () => {
  const federation = await TestFederation.start();
  const user = await federation.user();
  const ask = () => federation.clock.runUntil(user.jobs());
  for (let count = 0; count < LISTS_AT_ONCE; count++) await ask();

  await expect(ask()).rejects.toMatchObject({ code: "ERR_RATE_LIMITED" });
  await federation.clock.advance(1000);

  expect(await ask()).toEqual([]);
  await user.close();
  await federation.stop();
});
