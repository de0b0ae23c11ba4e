import { type Bytes, concatBytes, fromHex, toHex, utf8 } from "../../packages/core/src/bytes/index.ts";
import { writePositional } from "../../packages/core/src/decomposer/index.ts";
import {
  encodeClientHello,
  encodeOffer,
  encodeServerHello,
} from "../../packages/core/src/session/handshake-payloads.ts";
import {
  FRAME_KIND,
  type Frame,
  labelled,
  MAX_FRAME_BYTES,
  prologueOf,
  readFrame,
  writeFrame,
} from "../../packages/core/src/wire/index.ts";
import { wireCodeOfRefusal } from "./refusal.ts";

const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);

/** Frames that are refused before anything of them is looked at. Each begins well. */
const REFUSED: readonly (readonly [name: string, hex: string])[] = [
  ["eleven bytes", "5048010d00000000000000".slice(0, 22)],
  ["another magic", "5148010d0000000000000000"],
  ["version 0", "5048000d0000000000000000"],
  ["version 2", "5048020d0000000000000000"],
  ["kind 0", "504801000000000000000000"],
  ["kind 15", "5048010f0000000000000000"],
  ["a header of 4097 bytes", `5048010d1001000000000000${"00".repeat(4097)}`],
  ["a tag of 513 bytes", `5048010d0000020100000000${"00".repeat(513)}`],
  ["a byte less than the lengths say", "5048010d0000000000000001"],
  ["a byte more than the lengths say", "5048010d000000000000000000"],
  ["a payload of 4 GiB declared", "5048010d00000000ffffffff"],
  ["nothing", ""],
];

const partsOf = (name: string, bytes: Bytes): object => {
  const frame: Frame = readFrame(bytes);
  return {
    name,
    kind: frame.kind,
    header: toHex(frame.header),
    tag: toHex(frame.tag),
    payload: toHex(frame.payload),
    bytes: toHex(bytes),
  };
};

const KINDS: readonly (readonly [name: string, bytes: () => Bytes])[] = [
  [
    "ERROR, header only",
    () => writeFrame(FRAME_KIND.error, { header: writePositional([4027, null, 5000, "later"]) }),
  ],
  ["CREDIT", () => writeFrame(FRAME_KIND.credit, { header: writePositional([fill(16, 6), 8_388_608]) })],
  [
    "CHUNK, header and payload",
    () =>
      writeFrame(FRAME_KIND.chunk, {
        header: writePositional([fill(16, 6), 70_000, 4]),
        payload: utf8("data"),
      }),
  ],
  [
    "SESSION, tag and payload",
    () => writeFrame(FRAME_KIND.session, { tag: fill(16, 7), payload: utf8("ciphertext") }),
  ],
  ["REKEY, empty", () => writeFrame(FRAME_KIND.rekey, {})],
  [
    "SIGNED, all three parts",
    () =>
      writeFrame(FRAME_KIND.signed, {
        header: writePositional(["header"]),
        tag: fill(64, 8),
        payload: utf8("body"),
      }),
  ],
];

/** Payloads of the handshake in the forms that handshake.json does not show. */
const HANDSHAKE_PAYLOADS: readonly (readonly [name: string, bytes: () => Bytes])[] = [
  ["message 1: versions 1 and 2, server hub", () => encodeOffer({ versions: [1, 2], serverName: "hub" })],
  [
    "message 2 without a revocation list, which a client refuses: chain of two certificates, root, algorithm 1",
    () =>
      encodeServerHello(
        {
          version: 1,
          versions: [1],
          chain: [fill(300, 0x30), fill(200, 0x31)],
          root: fill(250, 0x32),
          revocationList: undefined,
          algorithm: 1,
        },
        fill(64, 0x33),
      ),
  ],
  [
    "message 2 with a revocation list of the root, algorithm 1",
    () =>
      encodeServerHello(
        {
          version: 1,
          versions: [2, 1],
          chain: [fill(300, 0x30)],
          root: fill(250, 0x32),
          revocationList: fill(180, 0x37),
          algorithm: 1,
        },
        fill(64, 0x33),
      ),
  ],
  [
    "message 3 with a chain and the exporter value of the channel, algorithm 3",
    () =>
      encodeClientHello(
        {
          chain: [fill(300, 0x30)],
          enrolment: undefined,
          algorithm: 3,
          externalCredential: undefined,
          channelBinding: fill(32, 0x34),
        },
        fill(96, 0x33),
      ),
  ],
  [
    "message 3 with a request and the code of an invite, algorithm 1",
    () =>
      encodeClientHello(
        {
          chain: [],
          enrolment: { request: fill(280, 0x35), code: fill(16, 0x36) },
          algorithm: 1,
          externalCredential: undefined,
          channelBinding: undefined,
        },
        fill(64, 0x33),
      ),
  ],
];

/** Frames, what is refused of them, labels. */
export async function frameVectors(): Promise<object> {
  const tooLarge = concatBytes(fromHex("5048010d00000000"), fromHex("00100001"));
  return {
    about:
      "frames: the parts of a frame and its bytes. refused: bytes after the handshake with the code that they are refused by. labels: S(context, content). payloads: those of handshake messages.",
    largestFrame: MAX_FRAME_BYTES,
    labels: [
      { context: "message", content: toHex(utf8("x")), bytes: toHex(labelled("message", utf8("x"))) },
      { context: "token", content: "", bytes: toHex(labelled("token")) },
    ],
    prologues: [{ project: "mnist", bytes: toHex(prologueOf("mnist")) }],
    frames: KINDS.map(([name, make]) => partsOf(name, make())),
    refused: await Promise.all(
      [...REFUSED, ["a payload of a byte too many declared", toHex(tooLarge)] as const].map(
        async ([name, hex]) => ({
          name,
          bytes: hex,
          code: await wireCodeOfRefusal(name, () => readFrame(fromHex(hex))),
        }),
      ),
    ),
    payloads: HANDSHAKE_PAYLOADS.map(([name, make]) => ({ name, bytes: toHex(make()) })),
  };
}
