import type { Bytes } from "@photinus/core/bytes";
import { TrainingError } from "@photinus/core/errors";
import * as v from "valibot";
import type { SiteDataFiles } from "../site-port/index.ts";

/**
 * What the server of a demo offers at `/demo/manifest.json`: public example data that somebody without data of their
 * own can train on. File names are relative to the manifest.
 */
export interface DemoManifest {
  /** Name of the data set, as jobs ask for it. */
  readonly dataName: string;
  /** For people, e.g. "MNIST, handwritten digits". */
  readonly title: string;
  /** Where the data comes from and under which licence. */
  readonly source: string;
  readonly licence: string;
  /** IDX files, packed by gzip or not. */
  readonly files: {
    readonly trainingImages: string;
    readonly trainingLabels: string;
    readonly heldOutImages?: string;
    readonly heldOutLabels?: string;
  };
}

/** Largest demo file that is loaded: 64 MiB. */
const MAX_FILE_BYTES = 64 * 2 ** 20;

const words = v.pipe(v.string(), v.maxLength(500));
const file = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/));

const ManifestSchema: v.GenericSchema<unknown, DemoManifest> = v.strictObject({
  dataName: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)),
  title: words,
  source: words,
  licence: words,
  files: v.strictObject({
    trainingImages: file,
    trainingLabels: file,
    heldOutImages: v.exactOptional(file),
    heldOutLabels: v.exactOptional(file),
  }),
});

/** The demo data of this server; `undefined` when it offers none or none that can be read. */
export async function findDemoShard(signal: AbortSignal): Promise<DemoManifest | undefined> {
  const response = await fetch("/demo/manifest.json", { credentials: "omit", signal });
  if (!response.ok) return undefined;
  const parsed = v.safeParse(ManifestSchema, await response.json().catch(() => undefined));
  return parsed.success ? parsed.output : undefined;
}

/**
 * Loads the files of the demo data.
 *
 * @throws TrainingError `ERR_DATA_MISSING` naming the file that did not come
 */
export async function loadDemoShard(manifest: DemoManifest, signal: AbortSignal): Promise<SiteDataFiles> {
  const { dataName, files } = manifest;
  const [trainingImages, trainingLabels, heldOutImages, heldOutLabels] = await Promise.all([
    load(files.trainingImages, signal),
    load(files.trainingLabels, signal),
    files.heldOutImages === undefined ? undefined : load(files.heldOutImages, signal),
    files.heldOutLabels === undefined ? undefined : load(files.heldOutLabels, signal),
  ]);
  return {
    dataName,
    trainingImages,
    trainingLabels,
    ...(heldOutImages && heldOutLabels ? { heldOutImages, heldOutLabels } : {}),
  };
}

async function load(name: string, signal: AbortSignal): Promise<Bytes> {
  const response = await fetch(`/demo/${name}`, { credentials: "omit", signal });
  const length = Number(response.headers.get("content-length") ?? 0);
  if (!response.ok || length > MAX_FILE_BYTES) {
    await response.body?.cancel();
    throw new TrainingError("ERR_DATA_MISSING", `the server did not send ${name} (HTTP ${response.status})`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
