import { randomBytes } from "node:crypto";
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
import { type Frame, writeFrame } from "./frame.ts";
import { type Greeted, greet, Line } from "./greeting.ts";
import type { Kit } from "./kit.ts";
import { writePlain } from "./message-pack.ts";
import { Records } from "./record.ts";
import { demand, Refused } from "./refused.ts";

/** What goes with a signed message. */
interface SignedOptions {
  readonly scope: string;
  /** That of a message that is sent again. Default: a fresh one. */
  readonly messageId?: Buffer;
}

/** A client of the protocol: it logs in with a kit and exchanges frames. */
export class Client {
  readonly server: Holder;
  readonly sid: Buffer;
  readonly self: Holder;
  readonly #line: Line;
  readonly #records: { readonly out: Records; readonly in: Records };
  readonly #kit: Kit;
  #tokens: readonly [own: Token, servers: Token] | undefined;
  #clockOffsetMs = 0;

  private constructor(line: Line, kit: Kit, greeted: Greeted) {
    this.#line = line;
    this.#kit = kit;
    this.server = greeted.server;
    this.sid = greeted.sid;
    this.#records = { out: new Records(greeted.keys[0]), in: new Records(greeted.keys[1]) };
    this.self = verifyChain(kit.chain, { project: kit.project, root: kit.root, nowMs: Date.now() });
  }

  /** Connects, shakes hands, takes WELCOME. */
  static async login(url: string, kit: Kit): Promise<Client> {
    const line = await Line.open(url);
    const isRoot = (root: Buffer): boolean => root.equals(kit.root);
    const client = new Client(line, kit, await greet(line, { ...kit, isRoot }));
    const welcome = await client.next();
    if (welcome.kind === 10) throw new Refused(readError(welcome).code, "refused");
    demand(welcome.kind === 4, 4000, "no WELCOME"); // [W-26]
    client.#welcome(welcome);
    return client;
  }

  /** The next frame: an inner one, or BLOB. */
  async next(): Promise<Frame> {
    const frame = await this.#line.next();
    return frame.kind === 5 ? this.#records.in.open(frame).frame : frame;
  }

  /** Sends an inner frame. */
  send(inner: Buffer): void {
    this.#line.send(this.#records.out.seal(inner));
  }

  /** Sends a MESSAGE. */
  message(type: number, body: Notation): void {
    const content = { type, messageId: randomBytes(16), body: encodeBody(body) };
    this.send(writeMessage(content, this.#ownToken().ref));
  }

  /** Sends a SIGNED message. */
  signed(type: number, body: Notation, { scope, messageId = randomBytes(16) }: SignedOptions): void {
    const content = { type, messageId, body: encodeBody(body), scope };
    this.send(sealSigned(content, this.#way(0), { key: this.#kit.key, tokenRef: this.#ownToken().ref }));
  }

  /** Verifies a SIGNED message of the server. @returns its type */
  verify(frame: Frame): number {
    return openSigned(frame, this.#way(1), this.server, this.#tokens ?? []).type;
  }

  /** Ends the session in order. */
  async close(): Promise<void> {
    this.send(writeFrame(10, { header: writePlain([4024, null, null, "done"]) }));
    await this.#line.close();
  }

  /** Ends the connection without a word of the session, as a lost line does; what was sent arrives. */
  async loseLine(): Promise<void> {
    await this.#line.close();
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
