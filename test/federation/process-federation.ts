import { join } from "node:path";
import { connect, type Federation } from "@photinus/core/console";
import { publicPrivacy } from "@photinus/core/filter";
import type { JobBundle } from "@photinus/core/job";
import type { JobView, SiteView } from "@photinus/core/message";
import { type Connector, silentLogger } from "@photinus/core/platform";
import { type ProvisionedProject, throwAwayProject } from "@photinus/core/provision";
import { Site, type Trainer } from "@photinus/core/site";
import { ParameterSet, Tensor } from "@photinus/core/tensor";
import { nodeCrypto, systemClock, webSocketConnector, writeKitFolder } from "@photinus/node-platform";
import { onTestFinished } from "vitest";
import { openKitOf, temporaryFolder } from "./a-federation.ts";
import { smallJob } from "./scripted-trainer.ts";
import { type ServerProcess, startServerProcess } from "./server-process.ts";

const clock = systemClock();
const crypto = nodeCrypto();
/** Bytes of a chunk. */
export const CHUNK_BYTES = 65_536;
/** Chunks of one update. */
export const CHUNKS = 6;
const FLOATS = (CHUNKS * CHUNK_BYTES) / 4;

/** A job of one round whose updates have {@link CHUNKS} chunks. */
export function chunkedJob(sites: number): JobBundle {
  return {
    ...smallJob(1, sites),
    parameters: [{ name: "w", dtype: "f32", shape: [FLOATS], trainable: true }],
    initialParameters: new ParameterSet([["w", Tensor.f32([FLOATS], new Float32Array(FLOATS))]]),
  };
}

/** A project whose server runs as a process of its own, one after another on the same storage and port. */
export interface ProcessFederation {
  readonly project: ProvisionedProject;
  server: ServerProcess;
  /** Starts the next process; the one before has ended. */
  startAgain(): Promise<void>;
  connectUser(): Promise<Federation>;
}

/** Makes the project and starts the first process. */
export async function processFederation(sites: number): Promise<ProcessFederation> {
  const project = await throwAwayProject({ sites, port: 8080 }, { crypto, clock });
  const folder = await temporaryFolder();
  const kit = project.kits.get("hub");
  if (kit === undefined) throw new Error("no kit for the server");
  const options = { kit: join(folder, "kit"), state: join(folder, "state"), passphrase: kit.secret };
  await writeKitFolder(options.kit, kit.files);
  const federation: ProcessFederation = {
    project,
    server: await startServerProcess({ ...options, port: 0 }),
    startAgain: async () => {
      federation.server = await startServerProcess({ ...options, port: federation.server.port });
    },
    connectUser: async () => {
      const kit = await openKitOf(project, "demo@example.org");
      const connector = webSocketConnector({ url: federation.server.socketUrl });
      const user = await connect({ kit, transport: { connector, clock, crypto } });
      onTestFinished(() => user.close());
      return user;
    },
  };
  return federation;
}

/** A site over a real socket that stops sending where the test says. */
export interface CountedSite {
  readonly site: Site;
  /** Chunks over each connection that carried any. */
  readonly chunks: () => readonly number[];
  readonly trainings: () => number;
  /** After so many chunks on a connection nothing more leaves. */
  limit: number;
  /** Drops the present connection; the site connects again by itself. */
  drop(): void;
}

/** Starts a site in this process. */
export async function startSite(
  {
    project,
    server,
  }: Pick<ProcessFederation, "project"> & { readonly server: Pick<ServerProcess, "socketUrl"> },
  name: string,
  { value, limit }: { readonly value: number; readonly limit: number },
): Promise<CountedSite> {
  const counts: number[] = [];
  let trained = 0;
  const line: Line = { limit, drop: () => undefined };
  const { identity, root } = await openKitOf(project, name);
  const site = new Site(
    {
      ...{ identity, root: root.der, project: "demo", serverName: "hub" },
      ...{ dataNames: ["mnist"], runtime: "node", reconnect: { firstMs: 20, longestMs: 200 } },
    },
    {
      ...{ clock, crypto, logger: silentLogger, decideJob: async () => "accept" },
      connector: counting(webSocketConnector({ url: server.socketUrl }), counts, line),
      random: { bytes: (length) => crypto.randomBytes(length) },
      privacy: publicPrivacy(),
      createTrainer: () =>
        addingTrainer(value, () => {
          trained += 1;
        }),
    },
  );
  onTestFinished(() => site.stop());
  site.start();
  return {
    site,
    chunks: () => counts.filter((count) => count > 0),
    trainings: () => trained,
    get limit() {
      return line.limit;
    },
    set limit(chunks) {
      line.limit = chunks;
    },
    drop: () => line.drop(),
  };
}

/** What the test does to a line. */
export interface Line {
  /** After so many chunks on a connection nothing more leaves. */
  limit: number;
  /** Ends the present connection. */
  drop: () => void;
}

/** Counts the chunks that leave over each connection. */
export function counting(inner: Connector, counts: number[], line: Line): Connector {
  return {
    connect: async (signal) => {
      const connection = await inner.connect(signal);
      const index = counts.push(0) - 1;
      let isBroken = false;
      line.drop = () => connection.close(4000, "");
      const send = (frame: Parameters<typeof connection.send>[0], onSent?: () => void): void => {
        const isChunk = frame.byteLength > CHUNK_BYTES;
        const sent = counts[index] ?? 0;
        if (isChunk && sent >= line.limit) isBroken = true;
        if (isBroken) return;
        if (isChunk) counts[index] = sent + 1;
        connection.send(frame, onSent);
      };
      return {
        remoteAddress: connection.remoteAddress,
        get bufferedBytes() {
          return connection.bufferedBytes;
        },
        frames: connection.frames,
        ended: connection.ended,
        send,
        drained: () => connection.drained(),
        close: (code, reason) => connection.close(code, reason),
      };
    },
  };
}

function addingTrainer(value: number, onTrain: () => void): Trainer {
  return {
    prepare: async () => ({ device: "none", trainingExamples: 1, heldOutExamples: 1 }),
    evaluate: async () => ({ loss: 1, accuracy: 0, exampleCount: 1 }),
    train: async () => {
      onTrain();
      const delta = new ParameterSet([["w", Tensor.f32([FLOATS], new Float32Array(FLOATS).fill(value))]]);
      return { delta, exampleCount: 1, loss: 1, steps: 1 };
    },
    close: async () => undefined,
  };
}

/** Reads the job's log until the view is as wanted. */
export async function until(
  user: Federation,
  jobId: string,
  isSo: (view: JobView) => boolean,
): Promise<void> {
  for await (const view of user.job(jobId).views()) if (isSo(view)) return;
  throw new Error("the job ended first");
}

/** Four of {@link CHUNKS} chunks have arrived. */
export const hasSentFour = ({ phase, progress }: SiteView): boolean =>
  phase === "uploading" && progress === 0.65;
