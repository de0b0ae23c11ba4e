import { setMaxListeners } from "node:events";
import {
  type ContributionBody,
  contribution,
  contributionReceived,
  evaluationResult,
  siteReady,
  taskProgress,
} from "@photinus/core/message";
import { ChainCache, type Identity } from "@photinus/core/pki";
import type { Connection } from "@photinus/core/platform";
import { connectSession, on, type Session, type SessionModules } from "@photinus/core/session";
import { bytesSource, makeManifest } from "@photinus/core/stream";
import { nodeCrypto, spareFullCollections, systemClock, webSocketConnector } from "@photinus/node-platform";
import { serveParent } from "../federation/serve-parent.ts";
import { type BenchProject, issueSites, type SitesOptions } from "./project.ts";

// Sites of a benchmark: sessions that do what they are told.

/** Handshakes under way at once. */
const IN_FLIGHT = 16;
/** Time that a connection may take, ms: a machine that does other things is no failure. */
const CONNECT_MS = 120_000;
const JOB = { jobId: "0".repeat(32), taskId: "1".repeat(32) };
const never = new AbortController().signal;
setMaxListeners(0, never); // of all connections that are under way
const crypto = nodeCrypto();
const clock = systemClock();
const modules: SessionModules = { crypto, clock, chainCache: new ChainCache() };

let project: BenchProject | undefined;
let identities: readonly Identity[] = [];
let sessions: Session[] = [];
let bare: Connection[] = [];
/** What waits for the answer to a ping, and to an upload, by session. */
const pongs = new Map<Session, () => void>();
const receipts = new Map<Session, () => void>();

interface Start extends SitesOptions {
  readonly project: BenchProject;
}

async function start(options: Start): Promise<void> {
  spareFullCollections();
  project = options.project;
  identities = await issueSites(project, options);
}

interface Connect {
  readonly url: string;
  /** Sessions to open. */
  readonly count: number;
  /** True: tells the coordinator what it can do, as sites do. */
  readonly announce: boolean;
}

async function connect({ url, count, announce }: Connect): Promise<void> {
  const connector = webSocketConnector({ url, timeoutMs: CONNECT_MS });
  const base = sessions.length;
  await inFlight(count, async (index) => {
    const session = await login(await connector.connect(never), base + index);
    if (announce) {
      await session.send(siteReady, {
        runtime: "node",
        dataNames: ["none"],
        preparedJobs: [],
        heldUpdates: [],
      });
    }
    sessions.push(session);
  });
}

async function login(connection: Connection, index: number): Promise<Session> {
  const identity = identities[index % identities.length];
  if (project === undefined || identity === undefined) throw new TypeError("no site to log in");
  const { name, root, serverName } = project;
  const session = await connectSession(connection, { identity, project: name, root, serverName }, modules);
  session.receive({
    routes: [
      on(contributionReceived, ({ root: received }) => {
        (received === undefined ? pongs : receipts).get(session)?.();
      }),
    ],
  });
  return session;
}

async function inFlight(count: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

async function connectBare({ url, count }: { url: string; count: number }): Promise<void> {
  const connector = webSocketConnector({ url, timeoutMs: CONNECT_MS });
  await inFlight(count, async () => {
    bare.push(await connector.connect(never));
  });
}

async function close(): Promise<void> {
  for (const connection of bare) connection.close(1000, "");
  bare = [];
  const ending = sessions;
  sessions = [];
  await Promise.all(ending.map((session) => session.close("ERR_GOING_AWAY")));
}

/** Each session sends `count` signed messages. */
async function sign(count: number): Promise<void> {
  const body = { ...JOB, evaluation: { loss: 0.5, accuracy: 0.5, exampleCount: 100 } };
  await Promise.all(
    sessions.map(async (session) => {
      for (let sent = 0; sent < count; sent++) await session.send(evaluationResult, body);
    }),
  );
}

/** Pings of the first session, one after another. @returns ms that each took */
async function ping(count: number): Promise<readonly number[]> {
  const [session] = sessions;
  if (session === undefined) throw new TypeError("no session");
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const before = performance.now();
    const pong = next(pongs, session);
    await session.send(taskProgress, { ...JOB, phase: "uploading", progress: 0.5 });
    await pong;
    times.push(performance.now() - before);
  }
  return times;
}

function next(answers: Map<Session, () => void>, session: Session): Promise<void> {
  return new Promise((resolve) => answers.set(session, resolve));
}

let isUploading = false;
let uploads: Promise<number> = Promise.resolve(0);

/** The last session uploads the same bytes again and again until {@link stopUploads}. */
function startUploads(updateBytes: number): void {
  isUploading = true;
  uploads = upload(updateBytes);
}

async function upload(updateBytes: number): Promise<number> {
  const session = sessions.at(-1);
  if (session === undefined) throw new TypeError("no session");
  const source = bytesSource(new Uint8Array(updateBytes).fill(7));
  const manifest = await makeManifest(source, { totalBytes: updateBytes }, { crypto, clock });
  let count = 0;
  while (isUploading) {
    const body: ContributionBody = {
      ...JOB,
      baseVersion: 0,
      exampleCount: 1,
      trainingLoss: 1,
      steps: 1,
      norm: 1,
      manifest: { ...manifest, streamId: crypto.randomBytes(16) },
      tensors: [{ name: "weight", dtype: "u8", shape: [updateBytes], offset: 0 }],
    };
    const received = next(receipts, session);
    await session.send(contribution, body);
    await session.sendStream(body.manifest, source);
    await received;
    count += 1;
  }
  return count;
}

/** @returns uploads that were answered */
async function stopUploads(): Promise<number> {
  isUploading = false;
  return await uploads;
}

serveParent({ start, connect, connectBare, close, sign, ping, startUploads, stopUploads, stop: close });
