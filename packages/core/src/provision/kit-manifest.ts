import * as v from "valibot";
import { type Bytes, fromUtf8, toHex, utf8 } from "../bytes/index.ts";
import { ProvisionError } from "../errors/index.ts";
import { isRole, type Role } from "../pki/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { KIT_FILE, KIT_LIMITS, type KitFiles, LOCAL_FOLDER, OWN_KEY_FILES } from "./kit-files.ts";

/** One file of a kit. */
export interface KitManifestFile {
  /** Path inside the kit. */
  readonly path: string;
  /** Length in bytes. */
  readonly size: number;
  /** SHA-256 of the content, lower-case hex. */
  readonly sha256: string;
}

/** What the project signs about a kit. */
export interface KitManifest {
  /** Version of this form. */
  readonly version: 1;
  /** Project that issued the kit. */
  readonly project: string;
  /** Whose kit it is. */
  readonly participant: string;
  /** Role of the participant. */
  readonly role: Role;
  /** Random identifier of this kit, 32 hexadecimal digits. */
  readonly kitId: string;
  /** First moment of validity, ms since 1970. */
  readonly notBeforeMs: number;
  /** Last moment of validity, ms since 1970. */
  readonly notAfterMs: number;
  /** Every file but the manifest and its signature, by path. */
  readonly files: readonly KitManifestFile[];
}

/** No manifest is larger. */
const MAX_MANIFEST_BYTES = 65_536;

const timeMs = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const ManifestSchema = v.strictObject({
  version: v.literal(1),
  project: v.pipe(v.string(), v.maxLength(63)),
  participant: v.pipe(v.string(), v.maxLength(128)),
  role: v.custom<Role>((value) => typeof value === "string" && isRole(value)),
  kitId: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  notBeforeMs: timeMs,
  notAfterMs: timeMs,
  files: v.pipe(
    v.array(
      v.strictObject({
        path: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]{0,62}$/)),
        size: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(KIT_LIMITS.fileBytes)),
        sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      }),
    ),
    v.maxLength(KIT_LIMITS.files),
  ),
});

/** Lists the files of a kit. @returns the manifest as it is signed: JSON, UTF-8 */
export async function encodeKitManifest(
  facts: Omit<KitManifest, "version" | "files">,
  files: KitFiles,
  crypto: CryptoProvider,
): Promise<Bytes> {
  const listed: KitManifestFile[] = [];
  for (const [path, content] of files) {
    listed.push({ path, size: content.length, sha256: toHex(await crypto.sha256(content)) });
  }
  const manifest: KitManifest = { version: 1, ...facts, files: listed };
  return utf8(`${JSON.stringify(manifest, undefined, 2)}\n`);
}

/**
 * Reads a manifest whose signature was verified.
 * @throws ProvisionError `ERR_KIT_MANIFEST_INVALID`
 */
export function parseKitManifest(bytes: Bytes): KitManifest {
  if (bytes.length > MAX_MANIFEST_BYTES) throw invalid(`manifest of ${bytes.length} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch (cause) {
    throw invalid("the manifest is not JSON", cause);
  }
  const result = v.safeParse(ManifestSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalid(`${v.getDotPath(issue) ?? "manifest"}: ${issue.message}`);
}

function invalid(detail: string, cause?: unknown): ProvisionError {
  return new ProvisionError("ERR_KIT_MANIFEST_INVALID", detail, { cause });
}

const UNLISTED: ReadonlySet<string> = new Set([KIT_FILE.manifest, KIT_FILE.signature]);

/**
 * Compares a kit with its manifest, file by file.
 * @param own keys that its owner made and the manifest therefore does not list; every other file has to be listed
 * @throws ProvisionError `ERR_KIT_MISSING_FILE`, `ERR_KIT_UNEXPECTED_FILE`, `ERR_KIT_FILE_SWAPPED`,
 *   `ERR_KIT_FILE_CHANGED`, each naming the first file
 */
export async function requireListedFiles(
  manifest: KitManifest,
  files: KitFiles,
  { own, crypto }: { readonly own: readonly string[]; readonly crypto: CryptoProvider },
): Promise<void> {
  const listed = new Map(manifest.files.map((file) => [file.path, file]));
  for (const path of listed.keys()) {
    if (!files.has(path)) throw new ProvisionError("ERR_KIT_MISSING_FILE", `${path} is missing`);
  }
  for (const [path, content] of files) {
    if (UNLISTED.has(path) || path.startsWith(LOCAL_FOLDER) || own.includes(path)) continue;
    const file = listed.get(path);
    if (file === undefined) {
      throw new ProvisionError("ERR_KIT_UNEXPECTED_FILE", `${path} does not belong to the kit`);
    }
    await requireContent(file, content, { manifest, crypto });
  }
}

/**
 * The keys of a kit that the project did not make: whoever made the own key holds it beside what was signed. A kit that came
 * with its key has none, and only a server has more than one.
 */
export function ownKeysOf({ files: listed, role }: KitManifest, files: KitFiles): readonly string[] {
  if (listed.some(({ path }) => path === KIT_FILE.key)) return [];
  return [...files.keys()].filter((path) =>
    role === "server"
      ? OWN_KEY_FILES.has(path) && listed.every((file) => file.path !== path)
      : path === KIT_FILE.key,
  );
}

async function requireContent(
  file: KitManifestFile,
  content: Bytes,
  { manifest, crypto }: { readonly manifest: KitManifest; readonly crypto: CryptoProvider },
): Promise<void> {
  const sha256 = toHex(await crypto.sha256(content));
  if (file.size === content.length && file.sha256 === sha256) return;
  const owner = manifest.files.find((other) => other.sha256 === sha256);
  throw owner === undefined
    ? new ProvisionError("ERR_KIT_FILE_CHANGED", `${file.path} is not what was signed`)
    : new ProvisionError("ERR_KIT_FILE_SWAPPED", `${file.path} holds the content of ${owner.path}`);
}
