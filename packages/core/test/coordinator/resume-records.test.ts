import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import type { CommitEntry, PartEntry } from "../../src/coordinator/resume-record.ts";
import { ResumeRecords } from "../../src/coordinator/resume-records.ts";
import type { MetadataStore } from "../../src/platform/index.ts";
import { memoryMetadata, type VirtualClock, virtualClock } from "../../src/testing/index.ts";

const URN = "urn:photinus:demo:site:site-1";

/** As many server processes as wanted on one storage. */
function processes(metadata: MetadataStore = memoryMetadata()): {
  readonly clock: VirtualClock;
  readonly metadata: MetadataStore;
  readonly one: ResumeRecords;
  readonly two: ResumeRecords;
} {
  const clock = virtualClock();
  const [one, two] = [new ResumeRecords({ metadata, clock }), new ResumeRecords({ metadata, clock })];
  return { clock, metadata, one, two };
}

const sid = (fill: number): Bytes => new Uint8Array(32).fill(fill);
const id = (digit: string, digits = 32): string => digit.repeat(digits);

function aCommit(clock: VirtualClock, digit = "a"): CommitEntry {
  const names = { messageId: id(digit), payloadDigest: id(digit, 64), jobId: id("1"), taskId: id("2") };
  return { ...names, outcome: "accepted", code: "", detail: "", untilMs: clock.now() + 1000 };
}

function aPart(clock: VirtualClock, digit = "b"): PartEntry {
  const names = { messageId: id(digit), payloadDigest: id(digit, 64), jobId: id("1"), taskId: id("2") };
  const stream = { streamId: id("3"), received: "BQ", blob: id(digit, 64) };
  return { ...names, ...stream, untilMs: clock.now() + 1000 };
}

test("a session resumes by the id of an earlier one, and finds what that left", async () => {
  const { one, two, clock } = processes();
  const first = await one.open({ urn: URN, session: sid(1), last: undefined });
  await first.record.commit(aCommit(clock), clock.now());
  await first.record.keepPart(aPart(clock));

  const second = await two.open({ urn: URN, session: sid(2), last: sid(1) });

  expect(first.isResumed).toBe(false);
  expect(second).toMatchObject({ isResumed: true, dropped: [] });
  expect(second.record.commits).toEqual([aCommit(clock)]);
  expect(second.record.parts).toEqual([aPart(clock)]);
  expect(second.record.fence).toBe(first.record.fence + 1);
});

test("a session that names a foreign one begins afresh: parts go, outcomes stay", async () => {
  const { one, two, clock } = processes();
  const first = await one.open({ urn: URN, session: sid(1), last: undefined });
  await first.record.commit(aCommit(clock), clock.now());
  await first.record.keepPart(aPart(clock));

  const second = await two.open({ urn: URN, session: sid(2), last: sid(9) });

  expect(second).toMatchObject({ isResumed: false, dropped: [aPart(clock).blob] });
  expect(second.record.parts).toEqual([]);
  expect(second.record.commits).toHaveLength(1);
});

test("the session of another participant resumes nothing", async () => {
  const { one, clock } = processes();
  const first = await one.open({ urn: URN, session: sid(1), last: undefined });
  await first.record.keepPart(aPart(clock));

  const other = await one.open({
    urn: "urn:photinus:demo:site:site-2",
    session: sid(2),
    last: sid(1),
  });

  expect(other).toMatchObject({ isResumed: false, dropped: [] });
  expect(first.record.parts).toHaveLength(1);
});

test("answers that were lost in a row do not end the chain of sessions, a fresh start does", async () => {
  const { one } = processes();
  const open = (session: number, last?: number) =>
    one.open({ urn: URN, session: sid(session), last: last === undefined ? undefined : sid(last) });
  await open(1);
  for (const session of [2, 3, 4, 5]) expect((await open(session, 1)).isResumed).toBe(true);

  await open(6);

  expect((await open(7, 1)).isResumed).toBe(false);
});

test.for(["one process", "another process"] as const)(
  "an older session cannot write any more once a newer one is in %s",
  async (where) => {
    const { one, two, clock, metadata } = processes();
    const older = await one.open({ urn: URN, session: sid(1), last: undefined });
    const newer = await (where === "one process" ? one : two).open({
      urn: URN,
      session: sid(2),
      last: sid(1),
    });
    const before = await metadata.get(`resume/${URN}`);

    await expect(older.record.commit(aCommit(clock), clock.now())).rejects.toMatchObject({
      code: "ERR_SUPERSEDED",
    });
    await expect(older.record.keepPart(aPart(clock))).rejects.toMatchObject({ code: "ERR_SUPERSEDED" });
    await expect(older.record.dropParts([])).rejects.toMatchObject({ code: "ERR_SUPERSEDED" });

    expect(await metadata.get(`resume/${URN}`)).toEqual(before);
    await newer.record.commit(aCommit(clock), clock.now());
    expect(newer.record.commits).toHaveLength(1);
  },
);

test("two processes that take a record over at once get different fencing tokens, and one of them can write", async () => {
  const { one, two, clock } = processes();

  const [left, right] = await Promise.all([
    one.open({ urn: URN, session: sid(1), last: undefined }),
    two.open({ urn: URN, session: sid(2), last: undefined }),
  ]);
  const writes = await Promise.allSettled(
    [left, right].map(({ record }) => record.commit(aCommit(clock), clock.now())),
  );

  expect([left.record.fence, right.record.fence].sort()).toEqual([1, 2]);
  expect(writes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(writes[left.record.fence === 2 ? 0 : 1]?.status).toBe("fulfilled");
});

test("what is over for a task is not found again, and a long list keeps the newest", async () => {
  const { one, clock } = processes();
  const { record } = await one.open({ urn: URN, session: sid(1), last: undefined });
  const digits = [..."0123456789abcdef"].flatMap((high) => ["0", "1"].map((low) => high + low));
  for (const digit of digits) {
    await record.commit({ ...aCommit(clock), messageId: id(digit, 16) }, clock.now());
  }
  expect(record.commits).toHaveLength(8);
  expect(record.commits.at(-1)?.messageId).toBe(id("f1", 16));
  await record.commit({ ...aCommit(clock), untilMs: clock.now() }, clock.now());
  await record.commit(aCommit(clock, "c"), clock.now());
  expect(record.commits.map(({ messageId }) => messageId)).not.toContain(id("a"));
  await record.keepPart(aPart(clock));

  await clock.advance(1001);
  const later = await one.open({ urn: URN, session: sid(2), last: sid(1) });

  expect(later.record.commits).toEqual([]);
  expect(later.record.parts).toEqual([]);
  expect(later.dropped).toEqual([aPart(clock).blob]);
});

test("a record that was altered is corrupt storage, not a fresh start", async () => {
  const { one, metadata } = processes();
  await metadata.create(`resume/${URN}`, new TextEncoder().encode('{"stateVersion":1,"fence":-1}'));

  await expect(one.open({ urn: URN, session: sid(1), last: undefined })).rejects.toMatchObject({
    code: "ERR_STORAGE_CORRUPT",
  });
});

test("a task has one half-done upload: a newer one replaces it, and so many tasks are kept", async () => {
  const { one, clock } = processes();
  const { record } = await one.open({ urn: URN, session: sid(1), last: undefined });
  await record.keepPart(aPart(clock, "b"));

  expect(await record.keepPart(aPart(clock, "c"))).toEqual([aPart(clock, "b").blob]);
  const dropped: string[] = [];
  for (const digit of "45678901") {
    dropped.push(...(await record.keepPart({ ...aPart(clock, digit), taskId: id(digit) })));
  }

  expect(dropped).toEqual([aPart(clock, "c").blob]);
  expect(record.parts).toHaveLength(8);
});
