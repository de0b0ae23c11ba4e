import { existsSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuditHead, auditLog, headDetails, sealAuditHead } from "@photinus/core/audit";
import { encodePem, type Identity } from "@photinus/core/pki";
import type { AuditRecord } from "@photinus/core/platform";
import { testProject } from "@photinus/core/testing";
import { AUDIT_FILE, openAuditFile } from "@photinus/node-client";
import { lockFolder, nodeCrypto, systemClock } from "@photinus/node-platform";
import { openStorage } from "@photinus/node-server";
import Connection from "libsql";
import { beforeAll, expect, test } from "vitest";
import { writeExport } from "../src/audit/write-export.ts";
import { folder, run } from "./run-photinus.ts";

const crypto = nodeCrypto();
const clock = systemClock();
let hub: Identity;
let north: Identity;

beforeAll(async () => {
  const project = await testProject({ sites: ["north"], crypto });
  hub = project.server;
  north = project.sites.get("north") ?? hub;
});

/** The state folder of a server whose records are about these. */
async function aState(objects: readonly string[] = ["one", "two", "three"]): Promise<string> {
  const state = join(await folder(), "state");
  const storage = await openStorage({ folder: state }, { crypto });
  const audit = auditLog(storage.audit, clock);
  for (const object of objects) await audit.record({ action: "login", object, outcome: "done" });
  await storage.close();
  return state;
}

async function recordsOf(state: string): Promise<readonly AuditRecord[]> {
  const storage = await openStorage({ folder: state }, { crypto });
  const records: AuditRecord[] = [];
  for await (const record of storage.audit.read()) records.push(record);
  await storage.close();
  return records;
}

/** The file of a site that witnesses these heads, each signed by `signer`. */
async function witnessing(heads: readonly AuditHead[], { signer = hub, name = "hub" } = {}): Promise<string> {
  const path = join(await folder(), AUDIT_FILE);
  const file = await openAuditFile(path, { crypto });
  for (const head of heads) {
    const object = await sealAuditHead(head, { identity: signer, crypto, clock });
    const details = headDetails({ ...head, object, issuedAtMs: Math.trunc(clock.now()) });
    await auditLog(file, clock).record({ action: "witness", object: name, outcome: "accepted", details });
  }
  await file.close();
  return path;
}

/** Where a server's chain was after `count` records. */
async function headOf(state: string, count: number): Promise<AuditHead> {
  const record = (await recordsOf(state))[count - 1];
  if (record === undefined) throw new RangeError(`no record ${count}`);
  return { count, hash: record.hash };
}

async function certificateOf({ participant }: Identity): Promise<string> {
  const path = join(await folder(), "certificate.pem");
  await writeFile(path, encodePem("CERTIFICATE", ...participant.chain));
  return path;
}

test("audit verify counts the records and tells the head", async () => {
  const state = await aState();

  const { code, out } = await run("audit", "verify", "--state", state, "--json");

  expect(code).toBe(0);
  const head = expect.stringMatching(/^[0-9a-f]{64}$/);
  expect(JSON.parse(out)).toEqual({ records: 3, verified: true, head });
});

test("audit verify ends with 7 and names the first broken record", async () => {
  const state = await aState();
  const database = new Connection(join(state, "photinus.db"));
  database.exec("DROP TRIGGER audit_no_update");
  database.exec("UPDATE audit SET entry = (SELECT entry FROM audit WHERE sequence = 1) WHERE sequence = 2");
  database.close();

  const { code, err } = await run("audit", "verify", "--state", state);

  expect(code).toBe(7);
  expect(err).toContain("First broken record: 2\n");
  expect(err).toContain("ERR_AUDIT_BROKEN ");
  const output = join(await folder(), "out.jsonl");
  expect((await run("audit", "export", "--state", state, "-o", output)).code).toBe(7);
  expect(existsSync(output)).toBe(false);
});

test("audit verify refuses a folder that holds no state, and makes none; it wants one place", async () => {
  const empty = await folder();

  const { code, err } = await run("audit", "verify", "--state", join(empty, "nothing"));

  expect(code).toBe(4);
  expect(err).toContain("is not the state folder of a server");
  await expect(stat(join(empty, "nothing"))).rejects.toThrow();
  expect((await run("audit", "verify")).code).toBe(4);
});

test("audit tail prints the last records", async () => {
  const { out } = await run("audit", "tail", "--state", await aState(), "--lines", "2");

  expect(out.trim().split("\n")).toEqual([
    expect.stringMatching(/^2 .* done {2}login {2}two/),
    expect.stringMatching(/^3 .* done {2}login {2}three/),
  ]);
});

test("audit verify agrees with what the other side has witnessed, and with who signed it", async () => {
  const state = await aState();
  const witness = await witnessing([await headOf(state, 1), await headOf(state, 3)]);
  const place = ["audit", "verify", "--state", state, "--witness", witness];

  const { code, out, err } = await run(...place);
  const signed = await run(...place, "--certificate", await certificateOf(hub));

  expect(code, err).toBe(0);
  expect(out).toContain("2 witnessed heads in it");
  expect(err).toContain("on the word of");
  expect(signed.code, signed.err).toBe(0);
  expect(signed.err).not.toContain("on the word of");
});

test("audit verify names the first record that the other side has witnessed otherwise, or that is missing", async () => {
  const whole = await aState();
  const witness = await witnessing([await headOf(whole, 2), await headOf(whole, 3)]);

  const cut = await run("audit", "verify", "--state", await aState(["one"]), "--witness", witness);
  const other = await run(
    "audit",
    "verify",
    "--state",
    await aState(["one", "2", "3", "4"]),
    "--witness",
    witness,
  );

  expect(cut.code).toBe(7);
  expect(cut.err).toContain("First broken record: 2\n");
  expect(cut.err).toContain("missing: 3 records were witnessed");
  expect(other.code).toBe(7);
  expect(other.err).toContain("not the one that was witnessed");
});

test("a witnessed head that its owner did not sign does not count", async () => {
  const state = await aState();
  const forged = await witnessing([{ count: 9, hash: new Uint8Array(32) }], { signer: north });
  const place = ["audit", "verify", "--state", state, "--witness", forged];

  const { code, err } = await run(...place, "--certificate", await certificateOf(hub));

  expect(code).toBe(7);
  expect(err).toContain("ERR_ENVELOPE_SIGNATURE_INVALID");
});

test("of a file that witnesses several chains, or none of that name, a name is asked for", async () => {
  const state = await aState();
  const head = await headOf(state, 1);
  const path = await witnessing([head]);
  const text = await readFile(await witnessing([head, head], { name: "south" }), "utf8");

  const none = await run("audit", "verify", "--state", state, "--witness", path, "--name", "west");
  const other = join(await folder(), "other.jsonl");
  await writeFile(other, `${text.split("\n")[0]}\n`);
  const empty = await run("audit", "verify", "--state", state, "--witness", other);

  expect(none.code).toBe(4);
  expect(none.err).toContain("no chain of west");
  expect(empty.code).toBe(0);
});

test("an export verifies as the state does, is for its owner only, and replaces nothing", async () => {
  const state = await aState();
  const output = join(await folder(), "out.jsonl");

  const { code, out } = await run("audit", "export", "--state", state, "-o", output, "--json");
  const verified = await run("audit", "verify", "--file", output, "--json");

  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ records: 3, format: "jsonl" });
  expect(JSON.parse(verified.out)).toMatchObject({ records: 3, head: JSON.parse(out).head });
  expect((await stat(output)).mode & 0o777).toBe(0o600);
  const again = await run("audit", "export", "--state", state, "-o", output);
  expect(again.code).toBe(4);
  expect((await run("audit", "verify", "--file", output)).code).toBe(0);
  const table = join(await folder(), "out.csv");
  await run("audit", "export", "--state", state, "-o", table, "--format", "csv");
  expect((await readFile(table, "utf8")).split("\r\n")).toHaveLength(5);
});

test("the head that an export tells is that of its file, however much is recorded meanwhile", async () => {
  const records = await recordsOf(await aState());
  const output = join(await folder(), "out.jsonl");
  let readings = 0;
  const audit = {
    async *read() {
      readings++;
      yield* readings === 1 ? records.slice(0, 2) : records;
    },
  };

  const head = await writeExport(audit, { output, format: "jsonl" });

  expect(head).toEqual({ count: 2, hash: records[1]?.hash });
  expect((await readFile(output, "utf8")).trim().split("\n")).toHaveLength(head.count);
});

test("a loss that is accepted stands in the chain with its reason; a server's state takes none", async () => {
  const state = await folder();
  const lost = ["audit", "accept-loss", "--reason", "the disk was replaced", "--state"];

  expect((await run(...lost, state)).code).toBe(0);
  const { out } = await run("audit", "tail", "--state", state);

  expect(out).toMatch(/done {2}audit-loss {2}the disk was replaced {2}operator/);
  expect((await run(...lost, await aState())).code).toBe(4);
  expect((await run("audit", "accept-loss", "--state", state, "--reason", " ")).code).toBe(4);
});

test("the records of a site that runs are not written to by another program", async () => {
  const state = await folder();
  await (await openAuditFile(join(state, AUDIT_FILE), { crypto })).close();
  const running = await lockFolder(state);
  const name = ["--name", "eve"];
  for (const [verb, ...more] of [["accept-loss"], ["erase", ...name]]) {
    const { code, err } = await run("audit", verb ?? "", "--state", state, "--reason", "x", ...more);
    expect(code).toBe(1);
    expect(err).toContain(`ERR_STORAGE_UNAVAILABLE another process uses ${state}`);
    expect(err).toContain("Remedy: Check the disk");
  }

  await running.release();

  expect((await run("audit", "erase", "--state", state, "--reason", "x", ...name)).code).toBe(0);
});

test("a loss is accepted in no folder that is not there", async () => {
  const typo = join(await folder(), "typo");

  const { code, err } = await run("audit", "accept-loss", "--reason", "lost", "--state", typo);

  expect(code).toBe(4);
  expect(err).toContain("is no folder");
  expect(existsSync(typo)).toBe(false);
});

test("a report tells the data flows of a job, what a user did, and what is about a participant", async () => {
  const state = await aState([]);
  const storage = await openStorage({ folder: state }, { crypto });
  const audit = auditLog(storage.audit, clock);
  const job = { correlation: "j1", object: "j1" };
  const notes: readonly Parameters<typeof audit.record>[0][] = [
    { ...job, action: "job", outcome: "accepted", actor: "aa ada@example.org", reason: "submit" },
    { ...job, action: "consent", outcome: "accepted", actor: "bb ward-1", details: { terms: "v3" } },
    { ...job, action: "task", outcome: "done", object: "t1" },
    { ...job, action: "result", object: "ward-1", outcome: "accepted", details: { exampleCount: 40 } },
    { ...job, action: "result", object: "ward-1", outcome: "refused", reason: "ERR_CONTRIBUTION_NORM" },
    { ...job, action: "round", object: "1", outcome: "done" },
    { ...job, action: "job", outcome: "refused", actor: "cc eve@example.org", reason: "download" },
    { action: "suspend", object: "dd ward-1", outcome: "done", actor: "aa ada@example.org" },
  ];
  for (const note of notes) await audit.record(note);
  await storage.close();
  const report = (...which: string[]) => run("audit", "report", "--state", state, ...which);

  const flows = await report("--job", "j1", "--json");
  const eve = await report("--user", "eve@example.org");
  const ward = await report("--participant", "ward-1", "--json");

  expect(JSON.parse(flows.out)).toMatchObject({
    rounds: 1,
    sites: [
      {
        ...{ site: "ward-1", consent: "accepted", terms: "v3", accepted: 1, examples: 40 },
        refused: { ERR_CONTRIBUTION_NORM: 1 },
      },
    ],
    access: [{ actor: "aa ada@example.org" }, { actor: "cc eve@example.org", outcome: "refused" }],
  });
  expect((await report("--job", "j1")).out).toContain(
    "ward-1: consent accepted (terms v3), 1 update counted",
  );
  expect(eve.out).toMatch(/^7 .* refused {2}job {2}j1 {2}download {2}cc eve@example\.org\n$/);
  expect(JSON.parse(ward.out).events.map(({ sequence }: { sequence: number }) => sequence)).toEqual([
    2, 4, 5, 8,
  ]);
  expect((await report()).code).toBe(4);
});

test("a name is erased from a server's or site's records, which verify as before and say that and why", async () => {
  const server = await aState([]);
  const site = await folder();
  const storage = await openStorage({ folder: server }, { crypto });
  const file = await openAuditFile(join(site, AUDIT_FILE), { crypto });
  for (const store of [storage.audit, file])
    for (const actor of ["aa ada@example.org", "bb eve@example.org"])
      await auditLog(store, clock).record({ action: "job", outcome: "accepted", actor });
  await storage.close();
  await file.close();
  const who = ["--name", "eve@example.org", "--reason"];
  for (const state of [server, site]) {
    const before = JSON.parse((await run("audit", "verify", "--state", state, "--json")).out);
    const bare = join(await folder(), "bare.jsonl");
    await run("audit", "export", "--state", state, "-o", bare, "--without-names");

    const { code, err } = await run("audit", "erase", "--state", state, ...who, "asked for on May 2");

    expect(code, err).toBe(0);
    const { out } = await run("audit", "tail", "--state", state);
    expect(out).not.toContain("eve@");
    expect(out).toContain("aa ada@example.org");
    expect(out).toMatch(/done {2}erasure {2}asked for on May 2 {2}operator/);
    const after = await run("audit", "verify", "--state", state, "--json");
    expect(JSON.parse(after.out)).toMatchObject({ records: 3, verified: true });
    const exported = await run("audit", "verify", "--file", bare, "--json");
    expect(JSON.parse(exported.out)).toEqual(before);
    expect(await readFile(bare, "utf8")).not.toContain("@example.org");
    expect((await run("audit", "erase", "--state", state, ...who, "for eve@example.org")).code).toBe(4);
  }
  expect((await run("audit", "erase", "--state", await folder(), ...who, "none")).code).toBe(4);
});
