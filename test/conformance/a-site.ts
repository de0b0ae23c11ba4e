import { randomBytes } from "node:crypto";
import {
  type Body,
  bodyOf,
  bytes,
  bytesOf,
  field,
  innerOf,
  int,
  map,
  number,
  numberOf,
  text,
  textOf,
} from "./bodies.ts";
import { type Holder, verifyChain } from "./certificate.ts";
import type { Client } from "./client.ts";
import type { Notation } from "./decomposers.ts";
import { openObject, readError, readMessage } from "./envelope.ts";
import { readFields } from "./fields.ts";
import { type Frame, writeFrame } from "./frame.ts";
import type { Kit } from "./kit.ts";
import { writePlain } from "./message-pack.ts";
import { sha256 } from "./primitives.ts";
import { demand } from "./refused.ts";
import { type Manifest, manifestOf, openBlob, readCredit, readPiece } from "./stream.ts";

/** What a site has seen and done in one job. */
export interface Account {
  /** Who signed the job. */
  readonly submitter: string;
  /** The model that came, decrypted. */
  readonly model: Buffer;
  /** Types of the messages that came, in order. */
  readonly messages: readonly number[];
  /** Bitmap of the chunks that the server had kept when the site came back. */
  readonly resumedWith?: Buffer;
}

/** How a site takes part. */
export interface Part {
  /** What it adds to each number of the model, which is one tensor `w`. */
  readonly step: number;
  /** Numbers of the model; default 8. */
  readonly elements?: number;
  /** Its line is lost when it has sent so many chunks. Default: never. */
  readonly losesLineAfter?: number;
  /** Its line is lost when so many chunks of blobs have come. Default: never. */
  readonly losesLineAfterBlobChunks?: number;
}

/** An update that is kept until it is COMMITTED. */
interface Held {
  readonly jobId: string;
  readonly taskId: string;
  readonly body: Body;
  readonly messageId: Buffer;
  readonly manifest: Manifest;
  readonly content: Buffer;
  /** Chunks that the server has, or that are on their way. */
  readonly done: Set<number>;
  credit: number;
}

/** A site that trains one round of one job, in one session or over several. */
export class ASite {
  #client: Client;
  readonly #kit: Kit;
  readonly #part: Part;
  readonly #signers: Holder[];
  readonly #publications = new Map<string, Manifest>();
  readonly #blobs = new Map<string, Buffer[]>();
  readonly #messages: number[] = [];
  #submitter = "";
  #model: Buffer = Buffer.alloc(0);
  #held: Held | undefined;
  #isLost = false;
  #sentChunks = 0;
  #blobChunks = 0;
  #resumedWith: Buffer | undefined;
  #task: Body | undefined;
  #hasEnded = false;

  constructor(client: Client, kit: Kit, part: Part) {
    this.#client = client;
    this.#kit = kit;
    this.#part = part;
    this.#signers = [client.server];
  }

  /** Chunks that went over the line so far. */
  get sentChunks(): number {
    return this.#sentChunks;
  }

  /** Chunks of blobs that came so far. */
  get blobChunks(): number {
    return this.#blobChunks;
  }

  /** Takes part in one job, to its end or until the line is lost. */
  async takePart(): Promise<Account> {
    this.#client.message(10, map({ acknowledged: { array: [] } }));
    this.#sayReady();
    return await this.#listen();
  }

  /** Goes on in a new session with the blobs that the lost one had begun to bring. */
  async comeBackForBlobs(client: Client): Promise<Account> {
    const lost = this.#client;
    this.#client = client;
    this.#isLost = false;
    this.#submitter = ""; // it consents anew
    const blobs = { array: this.#heldBlobs() };
    client.message(10, map({ session: bytes(lost.sid), acknowledged: { array: [] }, blobs }));
    this.#sayReady();
    return await this.#listen();
  }

  /** Goes on in a new session with the upload that the lost one had begun. */
  async comeBack(client: Client): Promise<Account> {
    const [lost, held] = [this.#client, this.#held];
    demand(held !== undefined, 4025, "nothing to go on with");
    this.#client = client;
    this.#isLost = false;
    held.done.clear();
    held.credit = 0;
    const acknowledged = { array: [bytes(Buffer.from(held.taskId, "hex"))] };
    client.message(10, map({ session: bytes(lost.sid), acknowledged }));
    this.#sayReady();
    this.#accept(held.jobId, this.#submitter);
    this.#sayPrepared(held.jobId);
    this.#announce(held);
    return await this.#listen();
  }

  #sayReady(): void {
    const held = this.#held;
    const kept = held === undefined ? [] : [map({ jobId: text(held.jobId), taskId: text(held.taskId) })];
    this.#client.message(
      20,
      map({
        runtime: text("node"),
        dataNames: { array: [text("mnist")] },
        preparedJobs: { array: held === undefined ? [] : [text(held.jobId)] },
        heldUpdates: { array: kept },
      }),
    );
  }

  async #listen(): Promise<Account> {
    while (!this.#hasEnded && !this.#isLost) this.#take(await this.#client.next());
    if (this.#isLost) await this.#client.loseLine();
    return {
      submitter: this.#submitter,
      model: this.#model,
      messages: this.#messages,
      ...(this.#resumedWith === undefined ? {} : { resumedWith: this.#resumedWith }),
    };
  }

  #take(frame: Frame): void {
    const handlers: Readonly<Record<number, () => void>> = {
      6: () => this.#message(this.#client.verify(frame), bodyOf(frame)),
      10: () => {
        const { code, detail } = readError(frame);
        throw new Error(`ERROR ${code}: ${detail}`);
      },
      11: () => this.#credit(frame),
      12: () => this.#object(frame),
      13: () => this.#message(readMessage(frame).type, bodyOf(frame)),
      14: () => this.#blob(frame),
    };
    handlers[frame.kind]?.();
  }

  #message(type: number, body: Body): void {
    this.#messages.push(type);
    if (type === 3) this.#addSigner(body);
    if (type === 12) this.#resume(body);
    if (type === 25) this.#sayPrepared(textOf(body, "jobId"));
    if (type === 26) {
      this.#task = body;
      this.#contribute();
    }
    if (type === 34) this.#hasEnded = true;
  }

  #addSigner(body: Body): void {
    const chain = (field(body, "chain")["array"] as readonly Notation[]).map((der) =>
      Buffer.from(String(der["bytes"]), "hex"),
    );
    const { project, root } = this.#kit;
    this.#signers.push(verifyChain(chain, { project, root, nowMs: Date.now() }));
  }

  #object(frame: Frame): void {
    const objectType = readFields(frame.header, (at) => {
      at.integer();
      at.integer();
      const type = at.integer();
      while (at.hasMore) at.skip();
      return type;
    });
    const role = objectType === 1 ? "project_admin" : "server";
    const at = { project: this.#kit.project, self: this.#client.self.name, nowMs: Date.now() };
    const rule = { objectType, role, maximumLifetimeMs: 2_592_000_000 };
    const { signer, objectId } = openObject(frame, at, { signers: this.#signers, rule });
    if (objectType === 2) this.#publication(bodyOf(frame));
    else if (this.#submitter === "") this.#accept(objectId.toString("hex"), signer.name);
  }

  #accept(jobId: string, submitter: string): void {
    this.#submitter = submitter;
    this.#client.signed(21, map({ jobId: text(jobId), terms: text("") }), { scope: jobId });
  }

  #publication(body: Body): void {
    const root = bytesOf(body, "root");
    this.#publications.set(root.toString("hex"), {
      streamId: bytesOf(body, "blobId"),
      root,
      leaves: bytesOf(body, "leaves"),
      chunkBytes: numberOf(body, "chunkBytes"),
      totalBytes: numberOf(body, "totalBytes"),
    });
  }

  #blob(frame: Frame): void {
    const { of, index, data } = readPiece(frame, 32);
    const root = of.toString("hex");
    const leaf = this.#publications.get(root)?.leaves.subarray(32 * index, 32 * (index + 1));
    demand(leaf?.equals(sha256(data)) === true, 4018, "a chunk of no publication, or another one");
    const chunks = this.#blobs.get(root) ?? [];
    demand(chunks[index] === undefined, 4028, "a chunk that is here already");
    chunks[index] = Buffer.from(data);
    this.#blobs.set(root, chunks);
    this.#blobChunks += 1;
    this.#isLost = this.#blobChunks === this.#part.losesLineAfterBlobChunks;
    if (!this.#isLost) this.#contribute();
  }

  /** The blobs of which chunks came, each with its bitmap. */
  #heldBlobs(): ReturnType<typeof map>[] {
    return [...this.#blobs].map(([root, chunks]) => {
      const count = (this.#publications.get(root)?.leaves.length ?? 0) / 32;
      const received = Buffer.alloc(Math.ceil(count / 8));
      for (const index of chunks.keys()) {
        if (chunks[index] !== undefined)
          received[index >> 3] = (received[index >> 3] ?? 0) | (1 << (index & 7));
      }
      return map({ root: bytes(Buffer.from(root, "hex")), received: bytes(received) });
    });
  }

  /** The blob of a reference, when all of it is here. */
  #opened(reference: Body): Buffer | undefined {
    const root = bytesOf(reference, "root").toString("hex");
    const [publication, chunks] = [this.#publications.get(root), this.#blobs.get(root)];
    if (publication === undefined || chunks === undefined) return undefined;
    if (chunks.length * 32 < publication.leaves.length) return undefined;
    return openBlob(this.#kit.project, bytesOf(reference, "key"), publication, chunks);
  }

  #sayPrepared(jobId: string): void {
    this.#client.message(
      23,
      map({ jobId: text(jobId), device: text("none"), trainingExamples: int(10), heldOutExamples: int(0) }),
    );
  }

  /** Does the task once its model is here. */
  #contribute(): void {
    const task = this.#task;
    const model = task === undefined ? undefined : this.#opened(innerOf(task, "model"));
    if (task === undefined || model === undefined) return;
    this.#task = undefined;
    this.#model = model;
    const [jobId, taskId] = [textOf(task, "jobId"), textOf(task, "taskId")];
    const about = { jobId: text(jobId), taskId: text(taskId) };
    if (textOf(task, "kind") === "evaluate") {
      this.#client.signed(29, map(about), { scope: jobId });
      return;
    }
    const { step, elements = 8 } = this.#part;
    const content = Buffer.from(new Float32Array(elements).fill(step).buffer);
    const manifest = manifestOf(randomBytes(16), content, 65_536);
    const body = { ...about, ...this.#update(numberOf(task, "version"), manifest) };
    const kept = { jobId, taskId, body, messageId: randomBytes(16), manifest, content };
    this.#held = { ...kept, done: new Set(), credit: 0 };
    this.#announce(this.#held);
  }

  #announce({ body, jobId, messageId }: Held): void {
    this.#client.signed(28, map(body), { scope: jobId, messageId });
  }

  #update(baseVersion: number, manifest: Manifest): Body {
    const { step, elements = 8 } = this.#part;
    const { streamId, chunkBytes, totalBytes, leaves, root } = manifest;
    return {
      baseVersion: int(baseVersion),
      exampleCount: int(10),
      trainingLoss: int(1),
      steps: int(1),
      norm: number(Math.sqrt(elements * step ** 2)),
      manifest: map({
        streamId: bytes(streamId),
        chunkBytes: int(chunkBytes),
        totalBytes: int(totalBytes),
        leaves: bytes(leaves),
        root: bytes(root),
      }),
      tensors: {
        array: [
          map({ name: text("w"), dtype: text("f32"), shape: { array: [int(elements)] }, offset: int(0) }),
        ],
      },
    };
  }

  /** The server says which chunks it has kept. */
  #resume(body: Body): void {
    const received = bytesOf(body, "received");
    this.#resumedWith = received;
    for (let index = 0; index < 8 * received.length; index++) {
      if (((received[index >> 3] ?? 0) >> (index & 7)) & 1) this.#held?.done.add(index);
    }
  }

  /** Sends the chunks that are missing, as far as the credit goes. */
  #credit(frame: Frame): void {
    const { streamId, bytes: credit } = readCredit(frame);
    const held = this.#held;
    demand(held !== undefined && streamId.equals(held.manifest.streamId), 4029, "credit for nothing");
    held.credit += credit;
    const { chunkBytes, totalBytes } = held.manifest;
    for (let index = 0; index * chunkBytes < totalBytes && !this.#isLost; index++) {
      const data = held.content.subarray(index * chunkBytes, (index + 1) * chunkBytes);
      if (held.done.has(index) || held.credit < data.length) continue;
      held.credit -= data.length;
      held.done.add(index);
      this.#client.send(writeFrame(7, { header: writePlain([streamId, index, data.length]), payload: data }));
      this.#sentChunks += 1;
      this.#isLost = this.#sentChunks === this.#part.losesLineAfter;
    }
  }
}
