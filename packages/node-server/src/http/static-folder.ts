import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import { Readable } from "node:stream";
import { isImmutable, mediaTypeOf } from "./media-type.ts";
import { refuse } from "./problem.ts";

/** One stored form of a file. */
interface Variant {
  readonly path: string;
  readonly size: number;
  readonly entityTag: string;
}

/** A file and its precompressed forms. */
interface StaticFile {
  readonly mediaType: string;
  readonly isImmutable: boolean;
  /** By content coding; "" is the file itself. */
  readonly variants: ReadonlyMap<string, Variant>;
}

/** A folder that is served as it is on disk. */
export interface StaticFolder {
  /** Answers a GET or HEAD for `path`, which begins with a slash and is still percent-encoded. */
  respond(path: string, request: Request): Promise<Response>;
}

/** Content codings in order of preference, with the suffix of the stored form. */
const CODINGS: readonly (readonly [coding: string, suffix: string])[] = [
  ["br", ".br"],
  ["gzip", ".gz"],
];

/** Most files of one folder; more is a wrong folder. */
const MAX_FILES = 20_000;

/** Regular files below `folder` by their path with slashes; links are left out, so nothing outside is reached. */
async function filesOf(folder: string): Promise<Map<string, Variant>> {
  const files = new Map<string, Variant>();
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    if (files.size === MAX_FILES) throw new RangeError(`more than ${MAX_FILES} files in ${folder}`);
    const path = join(entry.parentPath, entry.name);
    const { size, mtimeMs } = await stat(path);
    const entityTag = `"${size.toString(36)}-${Math.trunc(mtimeMs).toString(36)}"`;
    files.set(`/${relative(folder, path).split(sep).join("/")}`, { path, size, entityTag });
  }
  return files;
}

function indexOf(files: ReadonlyMap<string, Variant>): Map<string, StaticFile> {
  const index = new Map<string, StaticFile>();
  for (const [name, variant] of files) {
    if (CODINGS.some(([, suffix]) => name.endsWith(suffix) && files.has(name.slice(0, -suffix.length))))
      continue;
    const variants = new Map([["", variant]]);
    for (const [coding, suffix] of CODINGS) {
      const stored = files.get(name + suffix);
      if (stored) variants.set(coding, stored);
    }
    index.set(name, { mediaType: mediaTypeOf(extname(name)), isImmutable: isImmutable(name), variants });
  }
  return index;
}

/** The file that an address means: itself, `x.html` for `/x`, `x/index.html` for `/x/`. */
function find(index: ReadonlyMap<string, StaticFile>, encodedPath: string): StaticFile | undefined {
  let path: string;
  try {
    path = decodeURIComponent(encodedPath);
  } catch {
    return undefined; // a broken percent-encoding names no file
  }
  const bare = path.replace(/\/$/, "");
  return index.get(path) ?? index.get(`${bare}.html`) ?? index.get(`${bare}/index.html`);
}

/** Codings that the client takes: those named without a weight of zero. */
function accepts(header: string | null, coding: string): boolean {
  return (header ?? "").split(",").some((part) => {
    const [name, ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
    return name === coding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
  });
}

function choose(file: StaticFile, request: Request): readonly [coding: string, variant: Variant] {
  const header = request.headers.get("accept-encoding");
  for (const [coding, variant] of file.variants) {
    if (coding !== "" && accepts(header, coding)) return [coding, variant];
  }
  const [plain] = file.variants; // the file itself was put in first
  return plain as readonly [string, Variant];
}

function headersOf(file: StaticFile, coding: string, variant: Variant): Headers {
  const headers = new Headers({
    "content-type": file.mediaType,
    "cache-control": file.isImmutable ? "public, max-age=31536000, immutable" : "no-cache",
    etag: variant.entityTag,
  });
  if (file.variants.size > 1) headers.set("vary", "accept-encoding");
  if (coding !== "") headers.set("content-encoding", coding);
  return headers;
}

function respondWith(file: StaticFile, request: Request): Response {
  const [coding, variant] = choose(file, request);
  const headers = headersOf(file, coding, variant);
  if (request.headers.get("if-none-match")?.includes(variant.entityTag)) {
    return new Response(null, { status: 304, headers });
  }
  headers.set("content-length", String(variant.size));
  if (request.method === "HEAD" || variant.size === 0) return new Response(null, { headers });
  // The cast bridges two declarations of the same class: Node's and the one of fetch.
  const body = Readable.toWeb(createReadStream(variant.path)) as ReadableStream<Uint8Array>;
  return new Response(body, { headers });
}

/**
 * Serves a folder: media types, stored `.br` and `.gz` forms, entity tags, for ever cached files with a hash in their
 * name. Only files that were there when it was read are served: a path is looked up, never joined, so none leads
 * outside.
 *
 * @throws Error of the file system when `folder` cannot be read
 */
export async function staticFolder(folder: string): Promise<StaticFolder> {
  const index = indexOf(await filesOf(folder));
  return {
    async respond(path, request) {
      const file = find(index, path);
      return file === undefined ? refuse("ERR_NOT_FOUND", "no such page") : respondWith(file, request);
    },
  };
}
