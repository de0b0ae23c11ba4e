import type { Bytes } from "../../packages/core/src/bytes/index.ts";
import { builtInRegistry, encode } from "../../packages/core/src/decomposer/index.ts";
import { sealObject } from "../../packages/core/src/envelope/index.ts";
import {
  contribution,
  jobAccept,
  OBJECT_TYPES,
  siteReady,
  taskProgress,
} from "../../packages/core/src/message/index.ts";
import { acceptSession, connectSession, on, type Session } from "../../packages/core/src/session/index.ts";
import { resume, resumed } from "../../packages/core/src/session/resume.ts";
import { bytesSink, bytesSource, makeManifest, sealBlob } from "../../packages/core/src/stream/index.ts";
import { memoryConnectionPair, virtualClock } from "../../packages/core/src/testing/index.ts";
import type { FixedCrypto } from "./fixed-crypto.ts";
import { NOW_MS, type Participants, PROJECT, participants } from "./participants.ts";

/** One frame of a conversation, as it travelled. */
export interface SentFrame {
  readonly from: "client" | "server";
  readonly bytes: Bytes;
}

/** A recorded conversation of a site with its server, and the keys of both. */
export interface Conversation {
  readonly people: Participants;
  readonly client: FixedCrypto;
  readonly server: FixedCrypto;
  readonly sid: Bytes;
  readonly frames: readonly SentFrame[];
}

const JOB = "0123456789abcdef0123456789abcdef";
const TASK = "fedcba9876543210fedcba9876543210";
const CHUNK_BYTES = 65_536;
const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);
const registry = builtInRegistry();

/** Records what two real sessions say to each other: every kind of frame, and a change of keys in both directions. */
export async function converse(): Promise<Conversation> {
  const people = await participants();
  const [client, server] = [people.fixed.fork("client"), people.fixed.fork("server")];
  const frames: SentFrame[] = [];
  const record =
    (from: SentFrame["from"]) =>
    (bytes: Bytes): Bytes => {
      frames.push({ from, bytes: bytes.slice() });
      return bytes;
    };
  const connections = memoryConnectionPair({ toServer: record("client"), toClient: record("server") });
  const clock = virtualClock({ startMs: NOW_MS });
  const common = {
    project: PROJECT,
    root: people.project.root.certificate.der,
    // Five frames a key: the conversation shows REKEY in both directions.
    limits: { record: { frames: 5, bytes: 2 ** 30, ageMs: 3_600_000 } },
  };
  const [site, hub] = await Promise.all([
    connectSession(
      connections.client,
      { ...common, identity: people.site, serverName: people.server.participant.name },
      { crypto: client.crypto, clock },
    ),
    acceptSession(
      connections.server,
      { ...common, identity: people.server, revocations: people.project.revocations },
      { crypto: server.crypto, clock },
    ),
  ]);
  await talk({ site, hub }, { people, client, clock });
  return { people, client, server, sid: hub.id, frames };
}

interface Talk {
  readonly people: Participants;
  readonly client: FixedCrypto;
  readonly clock: ReturnType<typeof virtualClock>;
}

async function talk(
  { site, hub }: { readonly site: Session; readonly hub: Session },
  { people, client, clock }: Talk,
): Promise<void> {
  const content = Uint8Array.from({ length: 300 }, (_, index) => (index * 7) & 0xff);
  hub.receive({
    routes: [
      on(resume, (_, __, session) => answerResume(session)),
      on(siteReady, () => undefined),
      on(jobAccept, () => undefined),
      on(contribution, ({ manifest }, _, session) =>
        session.acceptStream(manifest, bytesSink(manifest.totalBytes).sink),
      ),
    ],
  });
  site.receive({
    routes: [on(resumed, () => undefined)],
    onObject: () => undefined,
    onBlobChunk: () => undefined,
    onRefused: () => undefined,
  });
  await site.send(resume, { acknowledged: [] });
  await site.send(siteReady, {
    runtime: "node",
    dataNames: ["mnist"],
    preparedJobs: [],
    heldUpdates: [{ jobId: JOB, taskId: TASK }],
  });
  await hub.sendObject(await aJob(people), people.user.participant.chain);
  await site.send(jobAccept, { jobId: JOB, terms: "" }, { scope: JOB });
  // Nobody takes progress here: an ERROR in reply.
  await site.send(taskProgress, { jobId: JOB, taskId: TASK, phase: "training", progress: 0.5 });
  await clock.settle();
  const modules = { crypto: client.crypto, clock };
  const sizes = { totalBytes: content.length, chunkBytes: CHUNK_BYTES, streamId: fill(16, 6) };
  const manifest = await makeManifest(bytesSource(content), sizes, modules);
  const body = {
    baseVersion: 1,
    exampleCount: 60,
    trainingLoss: 0.25,
    steps: 12,
    norm: 1.5,
    manifest,
    tensors: [],
  };
  await site.send(contribution, { jobId: JOB, taskId: TASK, ...body }, { scope: JOB });
  await site.sendStream(manifest, bytesSource(content));
  await clock.settle();
  const sealed = { project: PROJECT, totalBytes: content.length, chunkBytes: CHUNK_BYTES };
  const { blob } = await sealBlob(bytesSource(content), sealed, {
    crypto: people.fixed.fork("blob").crypto,
    clock,
  });
  await hub.sendBlob(blob);
  await clock.settle();
  // A minute later the messages so far are covered by a CHECKPOINT; heartbeats went meanwhile.
  await clock.advance(60_000);
  await site.close("ERR_GOING_AWAY", "done");
  await clock.settle();
}

/** As a server that has nothing of an earlier session. */
async function answerResume(session: Session): Promise<void> {
  await session.send(resumed, { isResumed: false, acknowledged: [], streams: [] });
}

/** An OBJECT by the user; who reads the vectors needs no more of a job than its envelope. */
function aJob({ user, fixed }: Participants): Promise<Bytes> {
  return sealObject(
    {
      objectType: OBJECT_TYPES.job,
      audience: "all",
      objectId: fill(16, 10),
      issuedAt: NOW_MS,
      lifetimeMs: 86_400_000,
      scope: JOB,
      payload: encode({ name: "mnist" }, registry),
    },
    { identity: user, crypto: fixed.fork("job").crypto },
  );
}
