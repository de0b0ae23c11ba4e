import { concatBytes } from "@photinus/core/bytes";
import { builtInRegistry, decode, encode } from "@photinus/core/decomposer";
import {
  identifyObject,
  readError,
  readMessageHeader,
  readSignedHeader,
  writeMessage,
} from "@photinus/core/envelope";
import { MESSAGES } from "@photinus/core/message";
import { parseJoinFragment } from "@photinus/core/provision";
import { resume, resumed, streamResumed } from "@photinus/core/session";
import {
  checkManifest,
  readBlobChunk,
  readChunk,
  readCredit,
  type StreamManifest,
  writeChunk,
  writeCredit,
} from "@photinus/core/stream";
import { FRAME_KIND, readFrame, writeFrame } from "@photinus/core/wire";
import { nodeCrypto } from "@photinus/node-platform";
import {
  decodeClientHello,
  decodeOffer,
  decodeServerHello,
  encodeOffer,
} from "../../packages/core/src/session/handshake-payloads.ts";
import { readWelcome } from "../../packages/core/src/session/welcome.ts";
import { objectContent, sealedContent } from "./content-targets.ts";
import { corpusOf } from "./corpus.ts";
import { type FuzzTarget, isTaken, requireSame } from "./engine.ts";
import { forgeryTargets } from "./forgery-targets.ts";
import { allFrames, bytesOf, messageBodies } from "./vectors.ts";

const crypto = nodeCrypto();
const registry = builtInRegistry();

const frame: FuzzTarget = {
  name: "frame",
  shape: "frame",
  seeds: [...allFrames(), ...corpusOf("frame")],
  read(bytes) {
    const read = readFrame(bytes);
    requireSame(writeFrame(read.kind, read), bytes, "a frame");
    return `kind ${read.kind}`;
  },
};

/** Headers and payloads of all kinds of frames, by the reader of each. */
const frameContent: FuzzTarget = {
  name: "frame-content",
  shape: "frame",
  seeds: [...allFrames(), ...corpusOf("frame-content")],
  read(bytes) {
    const read = readFrame(bytes);
    switch (read.kind) {
      case FRAME_KIND.message: {
        const header = readMessageHeader(read);
        requireSame(writeMessage(header, read.payload), bytes, "MESSAGE");
        return "MESSAGE";
      }
      case FRAME_KIND.signed:
        return `SIGNED ${readSignedHeader(read.header).direction}`;
      case FRAME_KIND.object:
        return `OBJECT ${identifyObject(bytes).objectId.byteLength}`;
      case FRAME_KIND.chunk:
        requireSame(writeChunk(readChunk(read)), bytes, "CHUNK");
        return "CHUNK";
      case FRAME_KIND.credit: {
        const { streamId, bytes: granted } = readCredit(read);
        requireSame(writeCredit(streamId, granted), bytes, "CREDIT");
        return "CREDIT";
      }
      case FRAME_KIND.error:
        return readError(read).code;
      case FRAME_KIND.blob:
        return `BLOB ${readBlobChunk(read).root.byteLength}`;
      case FRAME_KIND.welcome:
        return readWelcome(read).scope;
      default:
        return "no content of its own";
    }
  },
};

/** What a server reads before it knows who speaks, and a client before it trusts; the first byte says which. */
const handshake: FuzzTarget = {
  name: "handshake",
  shape: "pack",
  seeds: [
    ...[...bytesOf("handshake"), ...bytesOf("frames")].flatMap((payload) =>
      [0, 1, 2].map((kind) => concatBytes(Uint8Array.of(kind), payload)),
    ),
    ...corpusOf("handshake"),
  ],
  read(bytes) {
    const kind = (bytes[0] ?? 0) % 3;
    const payload = bytes.subarray(1);
    if (kind === 0) {
      requireSame(encodeOffer(decodeOffer(payload)), payload, "an offer");
      return "offer";
    }
    const { signedPart } = kind === 1 ? decodeServerHello(payload) : decodeClientHello(payload);
    return `${kind} ${signedPart.byteLength > 0}`;
  },
};

const decomposers: FuzzTarget = {
  name: "decomposers",
  shape: "pack",
  seeds: [...bytesOf("decomposers"), ...messageBodies(), ...corpusOf("decomposers")],
  read(bytes) {
    const value = decode(bytes, registry);
    requireSame(encode(value, registry), bytes, "a value");
    return value === null ? "nil" : Object.prototype.toString.call(value);
  },
};

/** Bodies of messages, by the schema of every kind; manifests also by their sums. */
const messages: FuzzTarget = {
  name: "messages",
  shape: "pack",
  seeds: [...messageBodies(), ...bytesOf("messages"), ...corpusOf("messages")],
  async read(bytes) {
    const value = decode(bytes, registry);
    const definitions = [...MESSAGES.values(), resume, resumed, streamResumed];
    const taken: string[] = [];
    for (const { name, parse } of definitions) {
      if (isTaken(() => parse(value))) taken.push(name);
    }
    const manifest: unknown = Reflect.get(Object(value), "manifest");
    if (isManifest(manifest)) await checkManifest(manifest, 2 ** 32, crypto);
    return taken.join(" ");
  },
};

/** True for what has the form of a manifest, whatever its numbers are. */
function isManifest(value: unknown): value is StreamManifest {
  const has = (key: string, isSo: (field: unknown) => boolean): boolean =>
    isSo(Reflect.get(Object(value), key));
  const isBytes = (field: unknown): boolean => field instanceof Uint8Array;
  const isNumber = (field: unknown): boolean => typeof field === "number";
  return (
    ["streamId", "leaves", "root"].every((key) => has(key, isBytes)) &&
    ["chunkBytes", "totalBytes"].every((key) => has(key, isNumber))
  );
}

const joinLink: FuzzTarget = {
  name: "join-link",
  shape: "plain",
  seeds: corpusOf("join-link"),
  read(bytes) {
    const { project } = parseJoinFragment(String.fromCharCode(...bytes.subarray(0, 4096)));
    return `${project.length > 0}`;
  },
};

/** Every target, by name. */
export const TARGETS: readonly FuzzTarget[] = [
  frame,
  frameContent,
  handshake,
  decomposers,
  messages,
  joinLink,
  objectContent,
  sealedContent,
  ...(await forgeryTargets()),
];
