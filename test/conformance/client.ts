import { generateKeyPairSync, randomBytes } from "node:crypto";
import { WebSocket } from "ws";
import { type Holder, verifyChain } from "./certificate.ts";
import { encodeBody, type Notation } from "./decomposers.ts";
import {
  openSigned,
  readError,
  sealSigned,
  type Token,
  verifyToken,
  type Way,
  writeMessage,
} from "./envelope.ts";
import { type Fields, readFields } from "./fields.ts";
import { type Frame, labelled, prologueOf, readFrame, writeFrame } from "./frame.ts";
import type { Kit } from "./kit.ts";
import { type Plain, writePlain } from "./message-pack.ts";
import { Noise } from "./noise.ts";
import { algorithmOf, isSigned, sha256, signBy } from "./primitives.ts";
import { Records } from "./record.ts";
import { demand } from "./refused.ts";

/** Frames as they come, one after another. */
class Arrivals {
  readonly #frames: Buffer[] = [];
  #wake: (() => void) | undefined;
  #hasEnded = false;

  constructor(socket: WebSocket) {
    socket.on("message", (data: Buffer) => {
      this.#frames.push(data);
      this.#wake?.();
    });
    socket.on("close", () => {
      this.#hasEnded = true;
      this.#wake?.();
    });
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
}

/** A client of the protocol: it logs in with a kit and exchanges frames. */
export class Client {
  readonly server: Holder;
  readonly sid: Buffer;
  readonly self: Holder;
  readonly #socket: WebSocket;
  readonly #arrivals: Arrivals;
  readonly #records: { readonly out: Records; readonly in: Records };
  readonly #kit: Kit;
  #tokens: readonly [own: Token, servers: Token] | undefined;
  #clockOffsetMs = 0;

  private constructor(socket: WebSocket, arrivals: Arrivals, kit: Kit, greeted: Greeted) {
    this.#socket = socket;
    this.#arrivals = arrivals;
    this.#kit = kit;
    this.server = greeted.server;
    this.sid = greeted.sid;
    this.#records = { out: new Records(greeted.keys[0]), in: new Records(greeted.keys[1]) };
    this.self = verifyChain(kit.chain, { project: kit.project, root: kit.root, nowMs: Date.now() });
  }

  /** Connects, shakes hands, takes WELCOME. */
  static async login(url: string, kit: Kit): Promise<Client> {
    const socket = new WebSocket(url, "photinus.v1", { perMessageDeflate: false, maxPayload: 1_049_600 });
    const arrivals = new Arrivals(socket);
    await new Promise((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    const client = new Client(socket, arrivals, kit, await greet(socket, arrivals, kit));
    const welcome = await client.next();
    if (welcome.kind === 10) throw new Error(`refused: ${readError(welcome).code}`);
    demand(welcome.kind === 4, 4000, "no WELCOME"); // [W-26]
    client.#welcome(welcome);
    return client;
  }

  /** The next frame: an inner one, or BLOB. */
  async next(): Promise<Frame> {
    const frame = await this.#arrivals.next();
    return frame.kind === 5 ? this.#records.in.open(frame).frame : frame;
  }

  /** Sends an inner frame. */
  send(inner: Buffer): void {
    this.#socket.send(this.#records.out.seal(inner));
  }

  /** Sends a MESSAGE. */
  message(type: number, body: Notation): void {
    const content = { type, messageId: randomBytes(16), body: encodeBody(body) };
    this.send(writeMessage(content, this.#ownToken().ref));
  }

  /** Sends a SIGNED message. */
  signed(type: number, body: Notation, scope: string): void {
    const content = { type, messageId: randomBytes(16), body: encodeBody(body), scope };
    this.send(sealSigned(content, this.#way(0), { key: this.#kit.key, tokenRef: this.#ownToken().ref }));
  }

  /** Verifies a SIGNED message of the server. @returns its type */
  verify(frame: Frame): number {
    return openSigned(frame, this.#way(1), this.server, this.#tokens ?? []).type;
  }

  /** Ends the connection and waits for its end. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.once("close", resolve));
    this.send(writeFrame(10, { header: writePlain([4024, null, null, "done"]) }));
    this.#socket.close(1000);
    await closed;
  }

  #ownToken(): Token {
    demand(this.#tokens !== undefined, 4011, "no token yet");
    return this.#tokens[0];
  }

  #way(direction: 0 | 1): Way {
    const [from, to] = direction === 0 ? [this.self, this.server] : [this.server, this.self];
    const nowMs = Date.now() + this.#clockOffsetMs;
    return { sid: this.sid, project: this.#kit.project, nowMs, from: from.name, to: to.name, direction };
  }

  #welcome({ payload }: Frame): void {
    const { tokens, serverClockMs } = readFields(payload, (at) => {
      const both = [at.bytes(), at.bytes()] as const;
      passOver(at);
      const clock = at.integer();
      at.nullable(() => demand(false, 4000, "nothing was to be resumed"));
      demand(at.text() === "full", 4003, "another scope"); // [W-27]
      return { tokens: both, serverClockMs: clock };
    });
    this.#clockOffsetMs = serverClockMs - Date.now();
    demand(Math.abs(this.#clockOffsetMs) <= 300_000, 4026, "clocks differ"); // [W-28]
    const sides = { sid: this.sid, project: this.#kit.project, nowMs: serverClockMs };
    // [W-18]
    this.#tokens = [
      verifyToken(tokens[0], this.self, this.server, sides),
      verifyToken(tokens[1], this.server, this.server, sides),
    ];
  }
}

/** Revocation numbers, policy epoch, limits. */
function passOver(at: Fields): void {
  at.list((list) => {
    const entry = list.inner();
    entry.bytes(32);
    entry.integer();
  });
  at.integer();
  at.list((limits) => limits.integer());
}

interface Greeted {
  readonly server: Holder;
  readonly sid: Buffer;
  readonly keys: readonly [Buffer, Buffer];
}

async function greet(socket: WebSocket, arrivals: Arrivals, kit: Kit): Promise<Greeted> {
  const fresh = () => generateKeyPairSync("x25519").privateKey;
  const noise = new Noise(true, prologueOf(kit.project), { e: fresh(), s: fresh() });
  const write = (kind: number, payload: (h: Buffer) => Buffer): void => {
    const tokens = noise.writeTokens();
    socket.send(
      writeFrame(kind, { payload: Buffer.concat([tokens, noise.writePayload(payload(noise.hash))]) }),
    );
  };
  write(1, () => writePlain([[1], kit.serverName]));
  const second = await arrivals.next();
  if (second.kind === 10) throw new Error(`refused: ${readError(second).code}`);
  demand(second.kind === 2 && second.header.length + second.tag.length === 0, 4003, "no message 2"); // [W-20], [W-21]
  const rest = noise.readTokens(second.payload);
  const { hash } = noise;
  const server = verifyServer(noise.readPayload(rest), hash, kit);
  write(3, (h) => clientHello(h, kit));
  return { server, sid: noise.hash, keys: noise.split() };
}

function verifyServer(payload: Buffer, hash: Buffer, kit: Kit): Holder {
  const hello = readFields(payload, (at) => ({
    version: at.integer(0xffff),
    versions: at.list((versions) => versions.integer(0xffff)),
    chain: at.list((chain) => chain.bytes()),
    root: at.bytes(),
    revocationList: at.nullable((list) => list.bytes()),
    algorithm: at.integer(3, 1),
    signature: at.bytes(),
  }));
  demand(hello.version === 1 && hello.versions.includes(1), 4001, "another version"); // [W-13]
  demand(hello.root.equals(kit.root), 4003, "another root"); // [W-14]
  const server = verifyChain(hello.chain, { project: kit.project, root: kit.root, nowMs: Date.now() }); // [W-15]
  demand(server.role === "server" && server.name === kit.serverName, 4003, "another server"); // [W-15]
  const { version, versions, chain, root, revocationList = null, algorithm, signature } = hello;
  const part = writePlain([version, versions, chain, root, revocationList, algorithm]);
  const signed = labelled("server", hash, sha256(part));
  demand(isSigned(server.key, algorithm, signature, signed), 4003, "not signed by the server"); // [W-16]
  return server;
}

function clientHello(hash: Buffer, { chain, key }: Kit): Buffer {
  const before: readonly Plain[] = [chain, null, null, algorithmOf(key) ?? 0];
  const after: readonly Plain[] = [null, null];
  const part = writePlain([...before, ...after]);
  return writePlain([...before, signBy(key, labelled("client", hash, sha256(part))), ...after]);
}
