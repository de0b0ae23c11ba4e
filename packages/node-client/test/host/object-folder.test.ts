import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toHex } from "@photinus/core/bytes";
import { openLastingObjects } from "@photinus/core/envelope";
import { publicPrivacy } from "@photinus/core/filter";
import { type SignedJob, signJob } from "@photinus/core/job";
import { jobAccept, jobEnded, siteReady } from "@photinus/core/message";
import { silentLogger } from "@photinus/core/platform";
import { type OpenedKit, openKit, throwAwayProject } from "@photinus/core/provision";
import { acceptSession, on, resume, type Session } from "@photinus/core/session";
import type { Site } from "@photinus/core/site";
import { type TestProject, testProject } from "@photinus/core/testing";
import { nodeSite } from "@photinus/node-client";
import { nodeCrypto, systemClock, webSocketConnection } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import { aBundle } from "../../../core/test/coordinator/a-federation.ts";
import { objectFolder } from "../../src/host/object-folder.ts";

const crypto = nodeCrypto();
const clock = systemClock();
/** TLS is not spoken in these tests. */
const tls = { certificate: "", privateKey: "" };
const corrupt = { code: "ERR_SEEN_OBJECTS_CORRUPT" };

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function aJob(project: TestProject): Promise<SignedJob> {
  const identity = project.users.get("lead@example.org");
  if (identity === undefined) throw new Error("the project has a lead");
  return await signJob(aBundle(), { identity, crypto, clock });
}

/** A server on loopback that offers one job to whoever comes. */
class Offers {
  readonly project: TestProject;
  readonly #server: WebSocketServer;
  offered: SignedJob | undefined;
  /** What became of the offer: the site takes part, or the session ended. */
  #settle: (outcome: string) => void = () => undefined;
  session: Session | undefined;

  private constructor(project: TestProject, server: WebSocketServer) {
    this.project = project;
    this.#server = server;
    server.on("connection", (socket) => void this.#accept(webSocketConnection(socket)));
  }

  static async start(): Promise<Offers> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    onTestFinished(() => {
      for (const client of server.clients) client.terminate();
      server.close();
    });
    return new Offers(await testProject({ crypto, clock }), server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ws`;
  }

  /** Starts a site, offers the job and waits for what becomes of it. */
  async offer(job: SignedJob, start: () => Promise<Site>): Promise<{ outcome: string; site: Site }> {
    this.offered = job;
    const outcome = new Promise<string>((resolve) => {
      this.#settle = resolve;
    });
    const site = await start();
    onTestFinished(() => site.stop());
    site.start();
    return { outcome: await outcome, site };
  }

  async #accept(connection: ReturnType<typeof webSocketConnection>): Promise<void> {
    const settle = this.#settle; // of the offer under way: an earlier session may end later
    const { server: identity, project, revocations, root } = this.project;
    const options = { identity, project, root: root.certificate.der, revocations };
    const session = await acceptSession(connection, options, { crypto, clock });
    this.session = session;
    session.receive({
      routes: [
        on(resume, () => undefined),
        on(siteReady, async () => {
          const lead = this.project.users.get("lead@example.org");
          if (this.offered === undefined || lead === undefined) return;
          await session.sendObject(this.offered.object, lead.participant.chain);
        }),
        on(jobAccept, ({ jobId }) => settle(`accepted ${jobId}`)),
      ],
    });
    const { code } = await session.ended;
    settle(code);
  }
}

/** A kit of a site of the project, opened, as {@link nodeSite} takes it. */
async function aKit({ project, url }: Offers): Promise<OpenedKit> {
  const other = await throwAwayProject({ sites: 1, port: 8080 }, { crypto, clock });
  const first = other.kits.get("site-1");
  const identity = project.sites.get("site-1");
  if (first === undefined || identity === undefined) throw new Error("both projects have a site");
  const kit = await openKit(first.files, { nowMs: clock.now(), secret: first.secret }, { crypto });
  const server = { ...kit.configuration.server, name: "hub", addresses: [url] };
  const configuration = { ...kit.configuration, project: project.project, server };
  return { ...kit, identity, root: project.root.certificate, configuration };
}

/** A site on Node that keeps what it has seen in `stateFolder`. */
async function aDisk(offers: Offers) {
  const dataFolder = await folder();
  await writeFile(join(dataFolder, "line.json"), "{}");
  const stateFolder = await folder();
  const kit = await aKit(offers);
  const start = () =>
    nodeSite(
      { kit, tls, dataFolder, stateFolder, privacy: publicPrivacy() },
      { clock, crypto, logger: silentLogger },
    );
  const records = join(stateFolder, "objects", toHex(kit.root.digest), "site-1");
  return { start, records };
}

test("a Node site that was started again refuses a job that had ended", async () => {
  const offers = await Offers.start();
  const disk = await aDisk(offers);
  const [job, fresh] = [await aJob(offers.project), await aJob(offers.project)];
  const first = await offers.offer(job, disk.start);
  expect(first.outcome).toBe(`accepted ${job.jobId}`);
  const ended = { jobId: job.jobId, state: "finished", reason: "rounds done" } as const;
  const isOver = new Promise<void>((resolve) => {
    first.site.watch(({ activity }) => {
      if (activity === "waiting") resolve();
    });
  });
  await offers.session?.send(jobEnded, ended);
  await isOver;
  await first.site.stop();

  const second = await offers.offer(job, disk.start);
  await second.site.stop();

  expect(second.outcome).toBe("ERR_ENVELOPE_REPLAYED");
  expect((await offers.offer(fresh, disk.start)).outcome).toBe(`accepted ${fresh.jobId}`);
});

test("a Node site that was started again goes on with a job that had not ended", async () => {
  const offers = await Offers.start();
  const disk = await aDisk(offers);
  const job = await aJob(offers.project);
  await (await offers.offer(job, disk.start)).site.stop();

  expect((await offers.offer(job, disk.start)).outcome).toBe(`accepted ${job.jobId}`);
});

test("a Node site does not start while a record of what it has seen is damaged", async () => {
  const offers = await Offers.start();
  const disk = await aDisk(offers);
  const first = await offers.offer(await aJob(offers.project), disk.start);
  await first.site.stop();
  const [file = ""] = await readdir(disk.records);

  await truncate(join(disk.records, file), 40);

  await expect(disk.start()).rejects.toMatchObject(corrupt);
});

test("records are files of their owner, whole or not there, and what a crash leaves besides is passed over", async () => {
  const base = join(await folder(), "deep");
  const records = objectFolder(base);

  expect(await records.list()).toEqual([]);
  expect(await records.create("object-1", Uint8Array.of(1))).toBe(true);
  expect(await records.create("object-1", Uint8Array.of(2))).toBe(false);
  expect(await records.replace("object-1", Uint8Array.of(3), Uint8Array.of(2))).toBe(false);
  expect(await records.replace("object-1", Uint8Array.of(3), Uint8Array.of(1))).toBe(true);
  expect(await records.replace("object-2", Uint8Array.of(3), Uint8Array.of(1))).toBe(false);
  expect(await readdir(base)).toEqual(["object-1.seen"]);
  expect((await stat(join(base, "object-1.seen"))).mode & 0o777).toBe(0o600);
  await writeFile(join(base, ".0123"), "half of a recor");
  expect(await objectFolder(base).list()).toEqual([{ name: "object-1", value: Uint8Array.of(3) }]);
  await records.delete("object-1");
  await records.delete("object-1");
  expect(await records.get("object-1")).toBeUndefined();
});

test("of many processes that create one record at once, one does", async () => {
  const base = await folder();

  const created = await Promise.all(
    Array.from({ length: 8 }, (_, index) => objectFolder(base).create("object-1", Uint8Array.of(index))),
  );

  expect(created.filter((isNew) => isNew)).toHaveLength(1);
  expect([...(await readFile(join(base, "object-1.seen")))]).toEqual([created.indexOf(true)]);
});

test("what is no plain small file is no record, and a folder that cannot be written takes nothing", async () => {
  const base = await folder();
  const records = objectFolder(base);
  await writeFile(join(base, "target"), "x");
  await symlink(join(base, "target"), join(base, "object-1.seen"));
  await expect(records.list()).rejects.toMatchObject(corrupt);
  await rm(join(base, "object-1.seen"));
  await writeFile(join(base, "object-2.seen"), new Uint8Array(1025));
  const refusal = await records.get("object-2").catch((error: unknown) => error);
  expect(refusal).toMatchObject(corrupt);
  expect(String(refusal)).not.toContain(base); // a server may be told

  const objects = objectFolder(join(base, "target", "objects")); // below a file: that stops root as well

  await expect(objects.create("object-1", Uint8Array.of(1))).rejects.toMatchObject({
    code: "ERR_STORAGE_UNAVAILABLE",
  });
});

test("what was seen is not taken for nothing where the folder cannot be read", async () => {
  const base = await folder();
  await writeFile(join(base, "objects"), "a file where the folder should be");
  const records = objectFolder(join(base, "objects"));
  const opening = openLastingObjects({ records, clock, crypto });

  await expect(opening).rejects.toMatchObject({ code: "ERR_STORAGE_UNAVAILABLE" });
});
