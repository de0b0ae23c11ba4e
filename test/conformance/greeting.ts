import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { WebSocket } from "ws";
import { type Holder, verifyChain } from "./certificate.ts";
import { readError } from "./envelope.ts";
import { readFields } from "./fields.ts";
import { type Frame, labelled, prologueOf, readFrame, writeFrame } from "./frame.ts";
import { type Plain, writePlain } from "./message-pack.ts";
import { Noise } from "./noise.ts";
import { algorithmOf, isSigned, sha256, signBy } from "./primitives.ts";
import { demand, Refused } from "./refused.ts";
import { readRevocationList } from "./revocation-list.ts";

/** A connection: frames as they come, one after another. */
export class Line {
  readonly #socket: WebSocket;
  readonly #frames: Buffer[] = [];
  #wake: (() => void) | undefined;
  #hasEnded = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => {
      this.#frames.push(data);
      this.#wake?.();
    });
    socket.on("close", () => {
      this.#hasEnded = true;
      this.#wake?.();
    });
  }

  static async open(url: string): Promise<Line> {
    const socket = new WebSocket(url, "photinus.v1", { perMessageDeflate: false, maxPayload: 1_049_600 });
    const line = new Line(socket);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return line;
  }

  send(frame: Buffer): void {
    this.#socket.send(frame);
  }

  async next(): Promise<Frame> {
    while (this.#frames.length === 0) {
      if (this.#hasEnded) throw new Error("the connection has ended");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return readFrame(this.#frames.shift() ?? Buffer.alloc(0));
  }

  /** Closes and waits for the end. */
  async close(): Promise<void> {
    this.#socket.close(1000);
    while (!this.#hasEnded) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Ends without a word, as a lost network does. */
  cut(): void {
    this.#socket.terminate();
  }
}

/** With what a client greets. */
export interface Greeting {
  readonly project: string;
  readonly serverName: string;
  /** True for the root that is to be trusted. */
  readonly isRoot: (root: Buffer) => boolean;
  /** Empty for who enrols. */
  readonly chain: readonly Buffer[];
  readonly enrolment?: { readonly request: Buffer; readonly code: Buffer };
  readonly key: KeyObject;
}

/** What the handshake yields. */
export interface Greeted {
  readonly server: Holder;
  readonly root: Buffer;
  readonly sid: Buffer;
  /** Client to server, server to client. */
  readonly keys: readonly [Buffer, Buffer];
}

/** The client's side of the handshake. */
export async function greet(line: Line, greeting: Greeting): Promise<Greeted> {
  const fresh = () => generateKeyPairSync("x25519").privateKey;
  const noise = new Noise(true, prologueOf(greeting.project), { e: fresh(), s: fresh() });
  const write = (kind: number, payload: (h: Buffer) => Buffer): void => {
    const tokens = noise.writeTokens();
    const sealed = noise.writePayload(payload(noise.hash));
    line.send(writeFrame(kind, { payload: Buffer.concat([tokens, sealed]) }));
  };
  write(1, () => writePlain([[1], greeting.serverName]));
  const second = await line.next();
  if (second.kind === 10) throw new Refused(readError(second).code, "refused");
  demand(second.kind === 2 && second.header.length + second.tag.length === 0, 4003, "no message 2"); // [W-20], [W-21]
  const rest = noise.readTokens(second.payload);
  const { hash } = noise;
  const verified = verifyServer(noise.readPayload(rest), hash, greeting);
  write(3, (h) => clientHello(h, greeting));
  return { ...verified, sid: noise.hash, keys: noise.split() };
}

function verifyServer(payload: Buffer, hash: Buffer, greeting: Greeting): { server: Holder; root: Buffer } {
  const hello = readFields(payload, (at) => ({
    version: at.integer(0xffff),
    versions: at.list((versions) => versions.integer(0xffff)),
    chain: at.list((chain) => chain.bytes()),
    root: at.bytes(),
    revocationList: at.nullable((list) => list.bytes()),
    algorithm: at.integer(3, 1),
    signature: at.bytes(),
  }));
  const { version, versions, chain, root, revocationList = null, algorithm, signature } = hello;
  demand(version === 1 && versions.includes(1), 4001, "another version"); // [W-13]
  demand(greeting.isRoot(root), 4003, "another root"); // [W-14], [W-66]
  const server = verifyChain(chain, { project: greeting.project, root, nowMs: Date.now() }); // [W-15]
  demand(server.role === "server" && server.name === greeting.serverName, 4003, "another server"); // [W-15]
  if (revocationList !== null) requireGood(chain[0], root, revocationList);
  const part = writePlain([version, versions, chain, root, revocationList, algorithm]);
  const signed = labelled("server", hash, sha256(part));
  demand(isSigned(server.key, algorithm, signature, signed), 4003, "not signed by the server"); // [W-16]
  return { server, root: Buffer.from(root) };
}

/** [W-150] the list of the root is current and does not name the server. */
function requireGood(leaf: Buffer | undefined, root: Buffer, revocationList: Buffer): void {
  const list = readRevocationList(revocationList, new X509Certificate(root).publicKey);
  const serialNumber = new X509Certificate(leaf ?? Buffer.alloc(0)).serialNumber.toLowerCase();
  demand(list.nextUpdateMs > Date.now(), 4003, "a revocation list that is past");
  demand(!list.serialNumbers.includes(serialNumber), 4012, "a server that was revoked");
}

function clientHello(hash: Buffer, { chain, enrolment, key }: Greeting): Buffer {
  const { request = null, code = null } = enrolment ?? {};
  const before: readonly Plain[] = [chain, request, code, algorithmOf(key) ?? 0];
  const after: readonly Plain[] = [null, null];
  const part = writePlain([...before, ...after]);
  return writePlain([...before, signBy(key, labelled("client", hash, sha256(part))), ...after]);
}
