import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./process.ts";

/** One published package of this repository. */
export interface Workspace {
  /** `@photinus/core` */
  readonly name: string;
  /** `core` */
  readonly shortName: string;
  /** Absolute path of its folder. */
  readonly folder: string;
  readonly manifest: Manifest;
}

/** The fields of package.json that the gates read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly workspaces?: readonly string[];
}

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest; // our own files

/** The packages that are published, in the order of the root's `workspaces`. */
export function publishedPackages(): readonly Workspace[] {
  return (readManifest(ROOT).workspaces ?? [])
    .map((path) => join(ROOT, path))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => manifest.private !== true)
    .map(({ folder, manifest }) => ({
      name: manifest.name,
      shortName: manifest.name.replace("@photinus/", ""),
      folder,
      manifest,
    }));
}
