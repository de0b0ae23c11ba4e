import type { Bytes } from "@photinus/core/bytes";
import { connect, type Federation } from "@photinus/core/console";
import { type Connector, type LogFields, silentLogger } from "@photinus/core/platform";
import { readBlobChunk } from "@photinus/core/stream";
import { FRAME_KIND, readFrame } from "@photinus/core/wire";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import { expect, onTestFinished, test } from "vitest";
import { aFederation, openKitOf, type RunningFederation } from "./a-federation.ts";
import { CHUNK_BYTES, CHUNKS, chunkedJob, counting, type Line } from "./process-federation.ts";
import { type TcpRelay, tcpRelay } from "./tcp-relay.ts";

const ALL = Array.from({ length: CHUNKS }, (_, index) => index);

/** A user over TCP that the test cuts. */
interface DistantUser {
  readonly federation: RunningFederation;
  readonly user: Federation;
  readonly relay: TcpRelay;
  readonly line: Line;
  /** Chunks of the submission that left over each connection. */
  readonly sent: readonly number[];
  /** Chunks of results that came over each connection. */
  readonly came: readonly (readonly number[])[];
  /** What the server said when it took up each session that asked: chunks that it has. */
  readonly kept: readonly number[];
}

async function aDistantUser(): Promise<DistantUser> {
  const federation = await aFederation(1);
  const { project, address } = federation;
  const relay = await tcpRelay(address.port);
  const kit = await openKitOf(project, "demo@example.org");
  const [sent, came, kept] = [[] as number[], [] as number[][], [] as number[]];
  const line: Line = { limit: Number.POSITIVE_INFINITY, drop: () => undefined };
  const socket = webSocketConnector({ url: address.socketUrl.replace(`:${address.port}`, `:${relay.port}`) });
  const debug = (_message: string, fields?: LogFields): void => void kept.push(Number(fields?.["chunks"]));
  const transport = {
    connector: watching(counting(socket, sent, line), came),
    ...{ clock: systemClock(), crypto: nodeCrypto(), logger: { ...silentLogger, debug } },
  };
  const user = await connect({ kit, transport });
  onTestFinished(() => user.close());
  return { federation, user, relay, line, sent, came, kept };
}

/** Notes the chunks of results. */
function watching(inner: Connector, came: number[][]): Connector {
  return {
    connect: async (signal) => {
      const connection = await inner.connect(signal);
      const indices: number[] = [];
      came.push(indices);
      const frames = async function* (): AsyncGenerator<Bytes, void, undefined> {
        for await (const bytes of connection.frames) {
          const frame = readFrame(bytes);
          if (frame.kind === FRAME_KIND.blob) indices.push(readBlobChunk(frame).index);
          yield bytes;
        }
      };
      return { ...connection, frames: frames() };
    },
  };
}

test("TCP that is cut in the middle of a submission costs no chunk twice, and the job is handed in once", async () => {
  const { federation, user, relay, line, sent, kept } = await aDistantUser();
  line.limit = 4;
  const submitting = user.submit(chunkedJob(1));
  const { coordinator } = federation.server;
  const received = (): number =>
    [...coordinator.sessions()].reduce((sum, { traffic }) => sum + traffic.receivedBytes, 0);
  await expect.poll(received).toBeGreaterThan(4 * CHUNK_BYTES);

  line.limit = Number.POSITIVE_INFINITY;
  relay.cut();
  const { jobId } = await submitting;

  // The graph, which is not counted here, is one more chunk, and came first.
  const [, chunks = 0] = kept;
  expect(chunks).toBeGreaterThan(1);
  expect(sent).toEqual([4, CHUNKS - (chunks - 1)]);
  expect((await coordinator.jobs()).map((job) => job.jobId)).toEqual([jobId]);
});

test("TCP that is cut in the middle of a result brings no chunk twice", async () => {
  const { user, relay, came } = await aDistantUser();
  const job = await user.submit(chunkedJob(1));

  relay.cutAfter(3.5 * CHUNK_BYTES);
  const { version, model } = await job.result();

  expect([version, new Set(model.get("w")?.f32)]).toEqual([0, new Set([0])]);
  expect(came).toHaveLength(2);
  const [first = [], second = []] = came;
  expect(first.length).toBeGreaterThan(0);
  expect(first.length).toBeLessThan(CHUNKS);
  expect([...first, ...second]).toEqual(ALL);
});
