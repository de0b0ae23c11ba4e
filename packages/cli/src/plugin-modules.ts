import { realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { HostError, PluginError } from "@photinus/core/errors";
import { MAX_PLUGINS, type Plugin, requirePlugin } from "@photinus/core/plugin";
import { LOCAL_FOLDER, LOCAL_PLUGINS } from "@photinus/core/provision";
import * as v from "valibot";
import { isAbsent, readLocatedJson } from "./located-file.ts";

/** `local/plugins.json` of a kit. */
export interface PluginsDocument {
  /** Version of the file's form. */
  readonly format_version: "1.0";
  /** In the order in which they are asked. */
  readonly plugins: readonly PluginEntry[];
}

/** A module and what it is made of. */
export interface PluginEntry {
  /** Path of a JavaScript module: absolute, or within `local/` of the kit. */
  readonly module: string;
  /** Given to its `createPlugin`. Default: an empty object. */
  readonly options?: Readonly<Record<string, unknown>>;
}

const text = (most: number) => v.pipe(v.string("text"), v.minLength(1), v.maxLength(most));

const DocumentSchema: v.GenericSchema<unknown, PluginsDocument> = v.strictObject({
  format_version: v.literal("1.0"),
  plugins: v.pipe(
    v.array(
      v.strictObject({
        module: text(4096),
        options: v.exactOptional(v.pipe(v.record(text(128), v.unknown()), v.maxEntries(64))),
      }),
    ),
    v.maxLength(MAX_PLUGINS, `at most ${MAX_PLUGINS} plug-ins`),
  ),
});

/**
 * The plug-ins that a kit names; none without such a file. Each module exports `createPlugin(options)`.
 * @throws HostError `ERR_CONFIG_INVALID` with file, line and column; PluginError `ERR_PLUGIN_INVALID` for a module that does not load: a host
 *   does not start without what it was told to ask
 */
export async function pluginsOf(kit: string): Promise<readonly Plugin[]> {
  const path = join(kit, LOCAL_PLUGINS);
  if (await isAbsent(path)) return [];
  const { value, locate } = await readLocatedJson(path);
  const result = v.safeParse(DocumentSchema, value);
  if (!result.success) {
    const [issue] = result.issues;
    const keys = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
    throw new HostError("ERR_CONFIG_INVALID", `${locate(keys)} ${keys.join(".")}: ${issue.message}`);
  }
  const plugins: Plugin[] = [];
  for (const entry of result.output.plugins) plugins.push(await load(entry, join(kit, LOCAL_FOLDER)));
  return plugins;
}

async function load({ module: name, options = {} }: PluginEntry, folder: string): Promise<Plugin> {
  const path = await modulePath(name, folder);
  let made: unknown;
  try {
    const loaded: unknown = await import(pathToFileURL(path).href);
    made = await created(loaded, options);
  } catch (cause) {
    throw new PluginError("ERR_PLUGIN_INVALID", `${path}: it does not load`, { cause });
  }
  requirePlugin(made, `${path}:`);
  return made;
}

async function created(loaded: unknown, options: object): Promise<unknown> {
  if (typeof loaded === "object" && loaded !== null && "createPlugin" in loaded) {
    const { createPlugin } = loaded;
    if (typeof createPlugin === "function") return await Promise.resolve(createPlugin(options));
  }
  throw new TypeError("it exports no function createPlugin");
}

/** A package's name, an address, or a way out of the folder is no path of this host's owner. */
async function modulePath(name: string, folder: string): Promise<string> {
  try {
    const root = await realpath(folder);
    const path = await realpath(isAbsolute(name) ? name : join(root, name));
    const inside = relative(root, path);
    if (!isAbsolute(name) && (inside.startsWith("..") || isAbsolute(inside))) {
      throw new RangeError("it lies outside of the kit's local folder");
    }
    const { mode } = await stat(path);
    if ((mode & 0o002) !== 0) throw new RangeError("everybody on this host may change it");
    return path;
  } catch (cause) {
    const why = cause instanceof RangeError ? cause.message : "there is no such file";
    throw new PluginError("ERR_PLUGIN_INVALID", `${name}: ${why}`, { cause });
  }
}
