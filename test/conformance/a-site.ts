import { randomBytes } from "node:crypto";
import { type Holder, verifyChain } from "./certificate.ts";
import type { Client } from "./client.ts";
import { decodeBody, type Notation } from "./decomposers.ts";
import { openObject, readError, readMessage } from "./envelope.ts";
import { readFields } from "./fields.ts";
import { type Frame, writeFrame } from "./frame.ts";
import type { Kit } from "./kit.ts";
import { writePlain } from "./message-pack.ts";
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
}

type Body = Readonly<Record<string, Notation>>;

const text = (value: string): Notation => ({ string: value });
const int = (value: number): Notation => ({ int: String(value) });
const map = (entries: Body): Notation => ({ map: Object.entries(entries) });
const bytes = (value: Buffer): Notation => ({ bytes: value.toString("hex") });

const bodyOf = (frame: Frame): Body => {
  const { map: entries } = decodeBody(frame.payload);
  return Object.fromEntries(entries as readonly (readonly [string, Notation])[]); // bodies are maps
};
const field = (body: Body, key: string): Notation => {
  const value = body[key];
  demand(value !== undefined, 4019, `no ${key}`);
  return value;
};
const textOf = (body: Body, key: string): string => String(field(body, key)["string"]);
const bytesOf = (body: Body, key: string): Buffer => Buffer.from(String(field(body, key)["bytes"]), "hex");
const numberOf = (body: Body, key: string): number => Number(field(body, key)["int"]);
const innerOf = (body: Body, key: string): Body =>
  Object.fromEntries(field(body, key)["map"] as readonly (readonly [string, Notation])[]);

/** A site with a model of one tensor `w` of eight numbers: it adds `step` to each in the one round of the job. */
export class ASite {
  readonly #client: Client;
  readonly #kit: Kit;
  readonly #step: number;
  readonly #signers: Holder[];
  readonly #publications = new Map<string, Manifest>();
  readonly #blobs = new Map<string, Buffer[]>();
  readonly #messages: number[] = [];
  #submitter = "";
  #model: Buffer = Buffer.alloc(0);
  #upload: { readonly manifest: Manifest; readonly content: Buffer } | undefined;
  #task: Body | undefined;
  #hasEnded = false;

  constructor(client: Client, kit: Kit, step: number) {
    this.#client = client;
    this.#kit = kit;
    this.#step = step;
    this.#signers = [client.server];
  }

  /** Takes part in one job, to its end. */
  async takePart(): Promise<Account> {
    this.#client.message(
      20,
      map({
        runtime: text("node"),
        dataNames: { array: [text("mnist")] },
        preparedJobs: { array: [] },
        heldUpdates: { array: [] },
      }),
    );
    while (!this.#hasEnded) this.#take(await this.#client.next());
    return { submitter: this.#submitter, model: this.#model, messages: this.#messages };
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
    if (type === 25) this.#graph(body);
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
    else this.#accept(objectId.toString("hex"), signer);
  }

  #accept(jobId: string, { name }: Holder): void {
    this.#submitter = name;
    this.#client.signed(21, map({ jobId: text(jobId), terms: text("") }), jobId);
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
    const chunks = this.#blobs.get(of.toString("hex")) ?? [];
    chunks[index] = Buffer.from(data);
    this.#blobs.set(of.toString("hex"), chunks);
    this.#contribute();
  }

  /** The blob of a reference, when all of it is here. */
  #opened(reference: Body): Buffer | undefined {
    const root = bytesOf(reference, "root").toString("hex");
    const [publication, chunks] = [this.#publications.get(root), this.#blobs.get(root)];
    if (publication === undefined || chunks === undefined) return undefined;
    if (chunks.length * 32 < publication.leaves.length) return undefined;
    return openBlob(this.#kit.project, bytesOf(reference, "key"), publication, chunks);
  }

  #graph(body: Body): void {
    const jobId = textOf(body, "jobId");
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
    const jobId = textOf(task, "jobId");
    const about = { jobId: text(jobId), taskId: text(textOf(task, "taskId")) };
    if (textOf(task, "kind") === "evaluate") this.#client.signed(29, map(about), jobId);
    else this.#client.signed(28, map({ ...about, ...this.#update(numberOf(task, "version")) }), jobId);
  }

  #update(baseVersion: number): Body {
    const content = Buffer.from(new Float32Array(8).fill(this.#step).buffer);
    const manifest = manifestOf(randomBytes(16), content, 65_536);
    this.#upload = { manifest, content };
    const norm = Buffer.alloc(8);
    norm.writeDoubleBE(Math.sqrt(8 * this.#step ** 2));
    const { streamId, chunkBytes, totalBytes, leaves, root } = manifest;
    return {
      baseVersion: int(baseVersion),
      exampleCount: int(10),
      trainingLoss: int(1),
      steps: int(1),
      norm: { float: norm.toString("hex") },
      manifest: map({
        streamId: bytes(streamId),
        chunkBytes: int(chunkBytes),
        totalBytes: int(totalBytes),
        leaves: bytes(leaves),
        root: bytes(root),
      }),
      tensors: {
        array: [map({ name: text("w"), dtype: text("f32"), shape: { array: [int(8)] }, offset: int(0) })],
      },
    };
  }

  /** The server takes the stream: one chunk is all of it. */
  #credit(frame: Frame): void {
    const { streamId, bytes: credit } = readCredit(frame);
    const upload = this.#upload;
    demand(upload !== undefined && streamId.equals(upload.manifest.streamId), 4029, "credit for nothing");
    demand(credit >= upload.content.length, 4029, "less credit than the stream has");
    const header = writePlain([streamId, 0, upload.content.length]);
    this.#client.send(writeFrame(7, { header, payload: upload.content }));
  }
}
