import { posix } from "node:path";
import { importsOf, type SourceFile } from "./source-files.ts";

/**
 * The folders of core, lowest first: a file imports its own layer or a lower one. `index` is core/src/index.ts.
 * The order of bytes and platform: docs/decisions/0002-bytes-below-platform.md.
 */
export const LAYERS = [
  "errors",
  "bytes",
  "platform",
  "kernels",
  "tensor",
  "decomposer",
  "pki",
  "wire",
  "envelope",
  "stream",
  "sealing",
  "message",
  "session",
  "authorization",
  "audit",
  "plugin",
  "accounting",
  "filter",
  "aggregation",
  "secure-aggregation",
  "attestation",
  "job",
  "workflow",
  "provision",
  "coordinator",
  "site",
  "console",
  "simulator",
  "testing",
  "index",
] as const;

const CORE = "packages/core/src/";

/** The layer of a path under core/src: its folder, or `index`. */
function layerOf(path: string): string {
  const inside = path.slice(CORE.length);
  return inside.includes("/") ? inside.slice(0, inside.indexOf("/")) : inside.replace(/\.ts$/, "");
}

const heightOf = (layer: string): number => (LAYERS as readonly string[]).indexOf(layer);

function faultOfImport(path: string, specifier: string): string | undefined {
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.startsWith(CORE)) return `${path} imports ${specifier}, outside of core`;
  const [from, to] = [layerOf(path), layerOf(target)];
  if (from === to) return undefined;
  if (heightOf(to) > heightOf(from)) return `${path} imports ${specifier}, a higher layer`;
  if (!target.endsWith("/index.ts")) return `${path} imports ${specifier}, past the index of its layer`;
  return undefined;
}

/** What is wrong with the layers of these files of core, one line each. */
export function layerFaults(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap(({ path, text }) => {
    if (heightOf(layerOf(path)) < 0) return [`${path} is in no layer`];
    return importsOf(text)
      .filter(({ specifier }) => specifier.startsWith("."))
      .flatMap(({ specifier }) => faultOfImport(path, specifier) ?? []);
  });
}
