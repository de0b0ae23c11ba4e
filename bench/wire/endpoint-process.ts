import { builtInRegistry } from "@photinus/core/decomposer";
import { contribution, contributionReceived, evaluationResult, taskProgress } from "@photinus/core/message";
import { ChainCache, RevocationLists } from "@photinus/core/pki";
import { silentLogger } from "@photinus/core/platform";
import { openKit } from "@photinus/core/provision";
import {
  type AcceptOptions,
  acceptSession,
  on,
  ServerHellos,
  type Session,
  type SessionModules,
} from "@photinus/core/session";
import { nodeCrypto, spareFullCollections, systemClock } from "@photinus/node-platform";
import { HttpHost, prometheusMetrics, readTokens } from "@photinus/node-server";
import { serveParent, tell } from "../federation/serve-parent.ts";
import { usage } from "../federation/usage.ts";
import { BENCH_LIMITS } from "./limits.ts";
import type { BenchProject } from "./project.ts";
import { rawLoginMs, rawVerifyMs } from "./raw-crypto.ts";

// The server up to its sessions, with handlers that do next to nothing: what is left is the wire's.

const sessions = new Set<Session>();
/** Signed messages that reached their handler. */
let signed = 0;
let wanted = Number.POSITIVE_INFINITY;
/** Where uploads go, one after another. */
let staging = new Uint8Array(0);

const routes = [
  on(evaluationResult, () => {
    signed += 1;
    if (signed === wanted) tell("signed", usage());
  }),
  on(taskProgress, async ({ jobId, taskId }, { messageId }, session) => {
    await session.send(contributionReceived, { jobId, taskId }, { inReplyTo: messageId });
  }),
  on(contribution, ({ jobId, taskId, manifest }, { messageId }, session) => {
    if (staging.byteLength !== manifest.totalBytes) staging = new Uint8Array(manifest.totalBytes);
    // As the coordinator: other messages of the session are not kept waiting.
    session
      .acceptStream(manifest, { write: (offset, data) => staging.set(data, offset) })
      .then(() =>
        session.send(contributionReceived, { jobId, taskId, root: manifest.root }, { inReplyTo: messageId }),
      )
      .catch(() => undefined); // the session has ended
  }),
];

let stop: () => Promise<void> = async () => undefined;

async function start(project: BenchProject): Promise<string> {
  spareFullCollections(); // as `photinus server start` does
  const crypto = nodeCrypto();
  const clock = systemClock();
  const { files, secret } = project.hub;
  const kit = await openKit(files, { nowMs: Date.now(), secret }, { crypto });
  const { identity, root, configuration } = kit;
  const { project: name } = configuration;
  const revocations = new RevocationLists({ project: name, root: root.der }, { crypto, clock });
  if (kit.revocationList !== undefined) await revocations.take({ list: kit.revocationList });
  const metrics = prometheusMetrics();
  const modules: SessionModules = {
    crypto,
    clock,
    metrics,
    chainCache: new ChainCache(),
    serverHellos: new ServerHellos(),
    registry: builtInRegistry(),
  };
  const noiseKey = crypto.generateAgreementKey(); // one for each process, as a server has
  const options: AcceptOptions = { identity, noiseKey, root: root.der, project: name, revocations };
  const host = new HttpHost(
    { port: 0, limits: BENCH_LIMITS },
    {
      federation: {
        jobs: () => [],
        observe: () => {
          throw new TypeError("nothing to observe");
        },
        publishedBlob: () => undefined,
        abort: async () => {
          throw new TypeError("nothing to abort");
        },
        accept: (connection) => {
          const authenticated = acceptSession(connection, options, modules).then((session) => {
            sessions.add(session);
            void session.ended.then(() => sessions.delete(session));
            session.receive({ routes });
          });
          return { authenticated };
        },
        drain: async () => {
          await Promise.all([...sessions].map((session) => session.close("ERR_GOING_AWAY")));
        },
        isReady: () => true,
      },
      tokens: readTokens(),
      metrics,
      clock,
      logger: silentLogger,
    },
  );
  stop = () => host.stop();
  return (await host.start()).socketUrl;
}

serveParent({
  start,
  usage,
  rawVerifyMs,
  rawLoginMs,
  sessions: () => sessions.size,
  /** Tells "signed" with the usage at that moment when so many more signed messages were handled. */
  expectSigned: (count: number) => {
    wanted = signed + count;
    return usage();
  },
  stop: () => stop(),
});
