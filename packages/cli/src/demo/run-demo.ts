import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { JobError } from "@photinus/core/errors";
import type { JobView, RoundView } from "@photinus/core/message";
import { sleep } from "@photinus/core/platform";
import { systemClock, writeKitFolder } from "@photinus/node-platform";
import type { BenchModelName } from "@photinus/training";
import type { CommandContext } from "../context.ts";
import { aborted } from "../interruption.ts";
import { roundLine } from "../job/round-lines.ts";
import { type WatchedJob, watchRounds } from "../job/watch-rounds.ts";
import { Cleanup } from "./cleanup.ts";
import { connectAsUser } from "./connect-as-user.ts";
import { demoJob } from "./demo-job.ts";
import { type DemoServer, kitOf, startDemoServer } from "./demo-server.ts";
import { choosePort, probePort } from "./free-port.ts";
import { writePageShard, writeSiteData } from "./mnist-data.ts";
import { demoNetwork } from "./network.ts";
import { canOpenBrowser, openBrowser } from "./open-browser.ts";
import { closingLine, type DemoReport, reportOf } from "./report.ts";
import { type SiteProcess, startSiteProcess } from "./site-process.ts";

/** Options of `photinus demo`. */
export interface DemoOptions {
  readonly rounds: number;
  readonly sites: number;
  readonly model: BenchModelName;
  /** Default: 8080, else the next free one. */
  readonly port?: number;
  /** Serve the network, by TLS. */
  readonly lan?: boolean;
  /** Folder of MNIST. */
  readonly data?: string;
  /** Stop after the last round. */
  readonly exit?: boolean;
  /** False: open no browser. */
  readonly open: boolean;
}

/** What the parts of a run share. */
interface Run {
  readonly options: DemoOptions;
  readonly context: CommandContext;
  readonly cleanup: Cleanup;
  /** Folder of this run, removed at its end. */
  readonly folder: string;
  /** Folder of MNIST. */
  readonly images: string;
}

/** What a person types differs between the repository and an installed package. */
const FROM_SOURCE = import.meta.url.endsWith(".ts");
/** Seed of the division of the images. */
const SEED = 1;
/** How often the demo looks for pages that joined. */
const GUEST_POLL_MS = 500;
/** MNIST as it lies beside the packages. */
const MNIST = fileURLToPath(new URL("../../../../demos/mnist/", import.meta.url));

/** Sites on this machine learn MNIST together: the first minute with Photinus. */
export async function runDemo(options: DemoOptions, context: CommandContext): Promise<void> {
  // From the start of the program, its loading included.
  const startedAtMs = Date.now() - process.uptime() * 1_000;
  const cleanup = new Cleanup();
  try {
    const folder = await mkdtemp(join(tmpdir(), "photinus-demo-"));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    const run: Run = { options, context, cleanup, folder, images: options.data ?? MNIST };
    const server = await startServer(run);
    const sites = await startSites(run, server);
    const watched = await untilStopped(runJob(run, server, "demo"), sites, context.signal);
    const audit = await server.verifyAudit();
    const report = reportOf(watched, audit, { startedAtMs, endedAtMs: Date.now() });
    tellEnd(run, report);
    if (!context.terminal.isJson && !options.exit) await serveOn(run, server, { sites, first: watched.job });
    await cleanup.run();
    context.terminal.result(report);
  } finally {
    await cleanup.run();
  }
}

async function startServer({ options, context, cleanup, folder, images }: Run): Promise<DemoServer> {
  const network = demoNetwork(options.lan === true);
  const port = await choosePort(options.port, (candidate) => probePort(network.host, candidate));
  const demo = join(folder, "page-data");
  await writePageShard(demo, images);
  // Nobody looks at pages of a run that another program reads, and building them costs the first round time.
  const pages = context.terminal.isJson ? undefined : context.pages();
  const server = await startDemoServer({ folder, sites: options.sites, network, port, pages, demo });
  cleanup.add(() => server.stop());
  context.terminal.line(`Photinus demo   dashboard ${server.dashboard}`);
  context.terminal.line(`                join ${server.join}`);
  const surroundings = {
    isTerminal: process.stdout.isTTY,
    environment: process.env,
    platform: process.platform,
  };
  if (options.open && !context.terminal.isJson && canOpenBrowser(surroundings)) openBrowser(server.dashboard);
  return server;
}

async function startSites(
  { options, cleanup, folder, images }: Run,
  server: DemoServer,
): Promise<readonly SiteProcess[]> {
  const sites: SiteProcess[] = [];
  cleanup.add(async () => {
    await Promise.all(sites.map((site) => site.stop()));
  });
  for (const [index, { name }] of server.project.definition.sites.entries()) {
    const { files, secret } = kitOf(server.project, name);
    const [kit, data] = [join(folder, "kits", name), join(folder, "data", name)];
    await writeKitFolder(kit, files);
    await writeSiteData(data, images, { site: index, sites: options.sites, seed: SEED });
    sites.push(
      startSiteProcess({ name, kit, data, server: server.socketUrl, passphrase: secret, threads: 1 }),
    );
  }
  return sites;
}

/** Submits a job as the project's user and tells its rounds. */
async function runJob(
  { options, context }: Run,
  server: DemoServer,
  submitToken: string,
): Promise<WatchedJob> {
  const { terminal, signal } = context;
  const federation = await connectAsUser(server);
  try {
    const job = await federation.submit(demoJob(options), { submitToken, signal });
    const tell = (view: JobView, round: RoundView): void => terminal.line(roundLine(view, round));
    const watched = await watchRounds(job, { clock: systemClock(), tell, signal });
    if (watched === undefined) throw new JobError("ERR_JOB_FAILED", "the server told nothing of the job");
    return watched;
  } finally {
    await federation.close();
  }
}

/** The work's outcome; or why it cannot come: a site's process ended, or a person stopped the demo. */
async function untilStopped<T>(
  work: Promise<T>,
  sites: readonly SiteProcess[],
  signal: AbortSignal,
): Promise<T> {
  const stopped = aborted(signal).then(() => Promise.reject<never>(signal.reason));
  work.catch(() => undefined); // when another ends the race, its own end is of no interest
  return await Promise.race([work, stopped, ...sites.map(({ failed }) => failed)]);
}

function tellEnd({ context: { terminal } }: Run, report: DemoReport): void {
  terminal.line(closingLine(report));
  terminal.note("");
  terminal.note("Next:");
  const [demo, photinus] = FROM_SOURCE
    ? ["npm start --", "npm run photinus --"]
    : ["photinus demo", "photinus"];
  for (const [command, purpose] of [
    [`${demo} --model mlp --rounds 5`, "the same with another model"],
    [`${demo} --lan`, "let other machines join, by TLS"],
    [`${photinus} --help`, "a federation of your own"],
  ] as const) {
    terminal.note(`  ${command.padEnd(37)} ${purpose}`);
  }
}

/**
 * The dashboard stays until Ctrl-C. A person needs longer to join by the link than the rounds take, so each page that
 * comes afterwards gets a job of its own to take part in.
 *
 * @throws WireError `ERR_CANCELLED`
 */
async function serveOn(
  run: Run,
  server: DemoServer,
  { sites, first }: { readonly sites: readonly SiteProcess[]; readonly first: JobView },
): Promise<never> {
  const { terminal, signal } = run.context;
  terminal.note("");
  terminal.note("The dashboard stays open, and pages may join. Press Ctrl-C to stop everything.");
  // A page that came too late for the first job has not had its turn yet.
  let known: readonly string[] = first.sites.filter(({ accepted }) => accepted > 0).map(({ name }) => name);
  for (let number = 2; ; number++) {
    const guests = await untilStopped(newGuests(server, known, signal), sites, signal);
    const names = guests.filter((name) => !known.includes(name)).join(", ");
    terminal.line(`${names} joined: another job waits for it to agree.`);
    known = guests;
    const options = { ...run.options, sites: run.options.sites + guests.length };
    const { job } = await untilStopped(runJob({ ...run, options }, server, `demo-${number}`), sites, signal);
    terminal.line(`Job ${job.state}: ${job.reason}`);
  }
}

/** Waits for a page that is not known. @returns all pages that are connected then */
async function newGuests(
  server: DemoServer,
  known: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  let present = known;
  for (;;) {
    const guests = server.guests();
    if (guests.some((name) => !present.includes(name))) return guests;
    present = guests; // who left may come again
    await sleep(systemClock(), GUEST_POLL_MS, signal);
  }
}
