import { readdirSync, readFileSync } from "node:fs";
import { type Bytes, fromHex } from "@photinus/core/bytes";

const WIRE = new URL("../vectors/wire/", import.meta.url);
const MESSAGES = new URL("../../packages/core/test/message/golden.json", import.meta.url);

/** Every byte string, as hexadecimal, in a value of JSON. */
function hexIn(value: unknown): string[] {
  if (typeof value === "string") return value.length >= 2 && /^([0-9a-f]{2})+$/.test(value) ? [value] : [];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(hexIn) : [];
}

/** All byte strings in one file of the published vectors, each once. */
export function bytesOf(file: string): readonly Bytes[] {
  const json: unknown = JSON.parse(readFileSync(new URL(`${file}.json`, WIRE), "utf8"));
  return [...new Set(hexIn(json))].map(fromHex);
}

/** All byte strings of the published vectors that look like frames. */
export function allFrames(): readonly Bytes[] {
  const files = readdirSync(WIRE).map((name) => name.replace(".json", ""));
  return files.flatMap(bytesOf).filter(([p, h]) => p === 0x50 && h === 0x48);
}

/** Bodies of messages of every kind. */
export function messageBodies(): readonly Bytes[] {
  const json: unknown = JSON.parse(readFileSync(MESSAGES, "utf8"));
  return hexIn(json).map(fromHex);
}

/** A value somewhere in a file of the published vectors. @throws TypeError when it is not there, or no `type` */
function fieldOf<Type extends "string" | "number">(
  file: string,
  path: string,
  type: Type,
): Type extends "string" ? string : number {
  const json: unknown = JSON.parse(readFileSync(new URL(`${file}.json`, WIRE), "utf8"));
  const value: unknown = path.split(".").reduce((at: unknown, key) => Reflect.get(Object(at), key), json);
  if (typeof value !== type) throw new TypeError(`${file}.json has no ${type} at ${path}`);
  return value as Type extends "string" ? string : number; // as was just checked
}

const hexOf = (file: string, path: string): Bytes => fromHex(fieldOf(file, path, "string"));
const chainOf = (name: string, length: number): readonly Bytes[] =>
  Array.from({ length }, (_, index) => hexOf("participants", `${name}.chain.${index}`));

/** The participants of the published vectors: chains of the server, of two sites and of a user. */
export const PARTICIPANTS = {
  project: fieldOf("participants", "project", "string"),
  nowMs: fieldOf("participants", "nowMs", "number"),
  root: hexOf("participants", "root"),
  enrolmentCa: hexOf("participants", "enrolmentCa"),
  server: chainOf("server", 1),
  site: chainOf("site", 1),
  siteName: fieldOf("participants", "site.name", "string"),
  enrolledSite: chainOf("enrolledSite", 2),
  user: chainOf("user", 1),
} as const;

/** The SIGNED frame of the published vectors, its session and its time. */
export const SIGNED = {
  sid: hexOf("signed", "sid"),
  nowMs: fieldOf("signed", "nowMs", "number"),
  frame: hexOf("signed", "frame"),
} as const;

/** The OBJECT frame of the published vectors and its time. */
export const OBJECT = {
  nowMs: fieldOf("objects", "nowMs", "number"),
  frame: hexOf("objects", "object"),
} as const;

/** The token of the published vectors, its session and its time. */
export const TOKEN = {
  sid: hexOf("tokens", "sid"),
  nowMs: fieldOf("tokens", "nowMs", "number"),
  bytes: hexOf("tokens", "token"),
} as const;

/** The CHECKPOINT frame of the published vectors, its session, and the hash over the three messages before it. */
export const CHECKPOINT = {
  sid: hexOf("checkpoints", "sid"),
  hash: hexOf("checkpoints", "hash"),
  count: 3,
  frame: hexOf("checkpoints", "checkpoint"),
} as const;

/** The outer manifest of the sealed content of the published vectors. */
export const SEALED_MANIFEST = {
  stream: {
    streamId: hexOf("sealed", "manifest.stream.streamId"),
    chunkBytes: fieldOf("sealed", "manifest.stream.chunkBytes", "number"),
    totalBytes: fieldOf("sealed", "manifest.stream.totalBytes", "number"),
    leaves: hexOf("sealed", "manifest.stream.leaves"),
    root: hexOf("sealed", "manifest.stream.root"),
  },
  statement: hexOf("sealed", "manifest.statement"),
  keys: [
    {
      to: fieldOf("sealed", "manifest.keys.0.to", "string"),
      packageId: hexOf("sealed", "manifest.keys.0.packageId"),
      encapsulated: hexOf("sealed", "manifest.keys.0.encapsulated"),
      wrapped: hexOf("sealed", "manifest.keys.0.wrapped"),
    },
  ],
} as const;

/** What a publication says of a sealed blob of the published vectors. */
export const PUBLICATION = {
  jobId: fieldOf("sealed", "job", "string"),
  kind: "model",
  version: 1,
  root: hexOf("blobs", "blobs.0.description.root"),
  blobId: hexOf("blobs", "blobs.0.description.blobId"),
  chunkBytes: fieldOf("blobs", "blobs.0.description.chunkBytes", "number"),
  totalBytes: fieldOf("blobs", "blobs.0.description.totalBytes", "number"),
  leaves: hexOf("blobs", "blobs.0.description.leaves"),
  tensors: [{ name: "w", dtype: "f32", shape: [75], offset: 0 }],
} as const;
