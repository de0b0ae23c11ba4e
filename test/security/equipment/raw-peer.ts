import type { Bytes } from "@photinus/core/bytes";
import { builtInRegistry, encode, readPositional } from "@photinus/core/decomposer";
import { readError, sealSigned, writeMessage } from "@photinus/core/envelope";
import type { Identity } from "@photinus/core/pki";
import { FRAME_KIND, type Frame, MAX_INNER_FRAME_BYTES, RECORD_LIMITS, readFrame } from "@photinus/core/wire";
import { onTestFinished } from "vitest";
import {
  type ClientOutcome,
  greet,
  pinnedRoot,
} from "../../../packages/core/src/session/client-handshake.ts";
import { completeModules } from "../../../packages/core/src/session/established.ts";
import { clock, crypto, type Ground } from "./a-ground.ts";

/** How a session ended for a {@link RawPeer}: what the server said last, and the close code. */
export interface RawEnd {
  readonly code: string | undefined;
  readonly detail: string;
  readonly closeCode: number;
}

/** Somebody with a certificate who has shaken hands and from then on writes every byte itself. */
export class RawPeer {
  readonly outcome: ClientOutcome;
  readonly #identity: Identity;
  readonly #tokenRef: Bytes;

  private constructor(outcome: ClientOutcome, parts: { identity: Identity; tokenRef: Bytes }) {
    this.outcome = outcome;
    this.#identity = parts.identity;
    this.#tokenRef = parts.tokenRef;
  }

  /** Shakes hands as the identity. */
  static async connect(
    ground: Ground,
    identity: Identity = ground.siteIdentity("mallory"),
  ): Promise<RawPeer> {
    const connection = await ground.connector.connect(new AbortController().signal);
    const { chain } = identity.participant;
    const outcome = await greet(
      connection,
      {
        project: ground.common.project,
        serverName: "hub",
        requireRoot: pinnedRoot(ground.common.root),
        revocationsOf: () => ground.project.revocations,
        hello: { chain, enrolment: undefined, channelBinding: undefined, externalCredential: undefined },
        signingKey: identity.signingKey,
        noiseKey: undefined,
        handshakeMs: 10_000,
        recordLimits: RECORD_LIMITS,
      },
      completeModules({ clock, crypto }),
    );
    onTestFinished(() => outcome.channel.close(1000, ""));
    const token = readPositional(outcome.welcome.clientToken ?? new Uint8Array(0), (reader) => ({
      array: reader.bin(undefined, 8192),
      signature: reader.bin(undefined, 512),
    }));
    return new RawPeer(outcome, { identity, tokenRef: await crypto.sha256(token.array) });
  }

  /** Sends bytes as they are. */
  sendOuter(frame: Bytes): void {
    this.outcome.channel.send(frame);
  }

  /** Encrypts an inner frame for its position and sends it. @returns the frame on the wire */
  async sendInner(inner: Bytes): Promise<Bytes> {
    const frame = await this.outcome.sender.seal(inner);
    this.sendOuter(frame);
    return frame;
  }

  /** A MESSAGE frame with a payload of one's own. */
  message(type: number, payload: Bytes): Bytes {
    const messageId = crypto.randomBytes(16);
    const header = { type, messageId, inReplyTo: undefined, scope: undefined, tokenRef: this.#tokenRef };
    return writeMessage(header, payload);
  }

  /** A SIGNED frame of this identity, with changes to its header. */
  async signed(
    { type, body }: { readonly type: number; readonly body: unknown },
    changes: Partial<Parameters<typeof sealSigned>[0]> = {},
  ): Promise<Bytes> {
    const { participant, signingKey } = this.#identity;
    return await sealSigned(
      {
        ...{ project: participant.project, from: participant.name, to: "hub", sid: this.outcome.sid },
        ...{ direction: 0, issuedAt: clock.now(), tokenRef: this.#tokenRef, type },
        ...{ messageId: crypto.randomBytes(16), inReplyTo: undefined, scope: undefined },
        body: encode(body, builtInRegistry()),
        ...changes,
      },
      { key: signingKey, crypto },
    );
  }

  /** The next inner frame; `undefined` when the connection has ended. */
  async next(): Promise<Frame | undefined> {
    const bytes = await this.outcome.channel.next();
    if (bytes === undefined) return undefined;
    const frame = readFrame(bytes);
    if (frame.kind !== FRAME_KIND.session) return frame; // a blob
    return readFrame(await this.outcome.receiver.open(frame), MAX_INNER_FRAME_BYTES);
  }

  /** Reads on until an ERROR frame answers something. @returns its code; the session may go on */
  async refusal(): Promise<string> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) throw new Error("the connection ended without an answer");
      if (frame.kind === FRAME_KIND.error) return readError(frame).code;
    }
  }

  /** Reads on until the server has ended the connection. */
  async end(): Promise<RawEnd> {
    let last: { readonly code: string; readonly detail: string } | undefined;
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) break;
      if (frame.kind === FRAME_KIND.error) last = readError(frame);
    }
    const { closeCode } = await this.outcome.channel.ended;
    return { code: last?.code, detail: last?.detail ?? "", closeCode };
  }
}
