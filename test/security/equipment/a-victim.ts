import { type Bytes, toHex, utf8 } from "@photinus/core/bytes";
import { builtInRegistry, encode } from "@photinus/core/decomposer";
import {
  memoryReplayStore,
  type ObjectReplayStore,
  runningHash,
  sealCheckpoint,
  sealObject,
  writeError,
  writeMessage,
} from "@photinus/core/envelope";
import { OBJECT_TYPES } from "@photinus/core/message";
import { ChainCache } from "@photinus/core/pki";
import { on, type SessionHandler, signerChain } from "@photinus/core/session";
import {
  bytesSource,
  makeManifest,
  type StreamManifest,
  writeChunk,
  writeCredit,
} from "@photinus/core/stream";
import { TEST_EPOCH_MS, type TestProject, testProject, virtualClock } from "@photinus/core/testing";
import { writeRekey } from "@photinus/core/wire";
import { nodeCrypto } from "@photinus/node-platform";
import { type HostileClient, hostileClient } from "../../../packages/core/test/session/hostile-client.ts";
import { note, order, upload } from "../../../packages/core/test/session/messages.ts";

const crypto = nodeCrypto();
const registry = builtInRegistry();
/** Chains that were verified once: a thousand sessions need not verify them again. */
const chainCache = new ChainCache();

/** A project whose certificates all victims share. */
export async function aVictimsProject(name?: string): Promise<TestProject> {
  const clock = virtualClock({ startMs: TEST_EPOCH_MS });
  return await testProject({ crypto, clock, ...(name === undefined ? {} : { project: name }) });
}

/** Kinds of frames inside a session that a client may send. */
export const INNER_KINDS = [
  "MESSAGE",
  "SIGNED",
  "OBJECT",
  "CHUNK",
  "CREDIT",
  "ERROR",
  "REKEY",
  "CHECKPOINT",
] as const;
/** One of {@link INNER_KINDS}. */
export type InnerKind = (typeof INNER_KINDS)[number];

/** A server in a session with somebody who can write every byte of it, and everything that the server remembers. */
export interface Victim extends HostileClient {
  /** What was handled, recorded, written and granted so far, as text: equal texts are equal states. */
  readonly state: () => Promise<string>;
  /** A valid inner frame of a kind; what has to go before it is sent at once. */
  readonly valid: (kind: InnerKind) => Promise<Bytes>;
  /** Sends a valid frame, and after one that is not handled by itself what shows that it was taken. */
  readonly sendValid: (kind: InnerKind, valid: Bytes) => Promise<void>;
}

/** What happened at the server's side, one line each. */
interface Diary {
  readonly lines: string[];
  readonly handler: SessionHandler;
  readonly replayStore: ObjectReplayStore;
}

function aDiary(): Diary {
  const lines: string[] = [];
  const store = memoryReplayStore({
    clock: { now: () => TEST_EPOCH_MS, after: neverFires, yield: async () => undefined },
  });
  return {
    lines,
    replayStore: {
      digestOf: (objectId) => store.digestOf(objectId),
      lastCounter: (signer, objectType) => store.lastCounter(signer, objectType),
      record(object) {
        lines.push(`recorded ${toHex(object.objectId)} ${toHex(object.digest)}`);
        return store.record(object);
      },
    },
    handler: {
      routes: [
        on(note, ({ text }, { messageId }) => void lines.push(`note ${text} ${toHex(messageId)}`)),
        on(order, ({ text }, { messageId }) => void lines.push(`order ${text} ${toHex(messageId)}`)),
        on(upload, async ({ manifest }, _, session) => {
          const write = (offset: number, data: Bytes): void =>
            void lines.push(`wrote ${offset} ${toHex(data)}`);
          // The stream may well fail: that is told by the state, and the upload is not what is tested.
          session.acceptStream(manifest, { write }).then(
            () => lines.push("upload done"),
            () => undefined,
          );
        }),
      ],
      onObject: ({ signer, objectId }) => void lines.push(`object of ${signer.name} ${toHex(objectId)}`),
      onBlobChunk: ({ root, index }) => void lines.push(`blob ${toHex(root)} ${index}`),
      onRefused: ({ code }) => void lines.push(`refused ${code}`),
    },
  };
}

function neverFires(): { cancel(): void } {
  return { cancel: () => undefined };
}

/** Opens the session. */
export async function aVictim(project: TestProject): Promise<Victim> {
  const diary = aDiary();
  const client = await hostileClient(project, diary.handler, {
    crypto,
    modules: { chainCache, replayStore: () => diary.replayStore },
  });
  const context: Context = { project, client, diary };
  return {
    ...client,
    state: async () => {
      await client.clock.settle();
      return diary.lines.join("\n");
    },
    valid: (kind) => VALID[kind](context),
    async sendValid(kind, valid) {
      if (kind === "REKEY") client.sendOuter(await aRekey(client));
      else await client.sendInner(valid);
      if (SILENT.has(kind)) await client.sendInner(client.message("it went on"));
    },
  };
}

/** Kinds whose frames nobody handles: the session goes on, and nothing else. */
const SILENT: ReadonlySet<InnerKind> = new Set<InnerKind>(["REKEY", "CHECKPOINT"]);

/** REKEY in SESSION; the sender takes the next key as well. */
async function aRekey(client: HostileClient): Promise<Bytes> {
  const frame = await client.rekey();
  if (!(frame instanceof Uint8Array)) throw new TypeError("no frame");
  return Uint8Array.from(frame);
}

interface Context {
  readonly project: TestProject;
  readonly client: HostileClient;
  readonly diary: Diary;
}

const CONTENT: Bytes = utf8("the bytes of a stream");

async function aManifest({ client }: Context): Promise<StreamManifest> {
  const sizes = { totalBytes: CONTENT.byteLength, chunkBytes: 65_536 };
  return await makeManifest(bytesSource(CONTENT), sizes, { crypto, clock: client.clock });
}

const VALID: Readonly<Record<InnerKind, (context: Context) => Promise<Bytes>>> = {
  MESSAGE: async ({ client }) => client.message("hello"),
  SIGNED: ({ client }) => client.signed(),
  REKEY: async () => writeRekey(),
  async CHECKPOINT({ client, project }) {
    const message = client.message("covered");
    await client.sendInner(message);
    const { participant, signingKey } = client.identity;
    return await sealCheckpoint(
      {
        ...{
          project: project.project,
          from: participant.name,
          to: "hub",
          sid: client.sid,
          direction: 0,
          count: 1,
        },
        hash: await runningHash(client.sid, message, crypto),
      },
      { key: signingKey, crypto },
    );
  },
  async OBJECT({ client, project }) {
    const [lead] = project.users.values();
    if (lead === undefined) throw new RangeError("no user");
    const header = { type: signerChain.type, messageId: crypto.randomBytes(16), inReplyTo: undefined };
    const chain = encode({ chain: lead.participant.chain }, registry);
    await client.sendInner(writeMessage({ ...header, scope: undefined, tokenRef: client.tokenRef }, chain));
    return await sealObject(
      {
        ...{
          objectType: OBJECT_TYPES.job,
          audience: "all",
          issuedAt: client.clock.now(),
          lifetimeMs: 60_000,
        },
        payload: encode("a job", registry),
      },
      { identity: lead, crypto },
    );
  },
  async CHUNK(context) {
    const manifest = await aManifest(context);
    const { client } = context;
    await client.sendInner(await client.signed({ type: upload.type, body: encode({ manifest }, registry) }));
    await client.clock.settle();
    return writeChunk({ streamId: manifest.streamId, index: 0, data: CONTENT });
  },
  async CREDIT(context) {
    const manifest = await aManifest(context);
    const { client, diary } = context;
    const read = (offset: number, length: number): Bytes => {
      diary.lines.push(`granted ${offset} ${length}`);
      return CONTENT.subarray(offset, offset + length);
    };
    client.server.sendStream(manifest, { read }).catch(() => undefined); // ends with the session
    await client.clock.settle();
    return writeCredit(manifest.streamId, CONTENT.byteLength);
  },
  async ERROR({ client }) {
    const inReplyTo = await client.server.send(note, { text: "a question" });
    return writeError({ code: "ERR_BUSY", inReplyTo, detail: "later" });
  },
};
