/** Photinus runs from its sources; then workers need a boot file and the condition that leads imports to sources. */
const FROM_SOURCE = import.meta.url.endsWith(".ts");

/** Flags of Node for a worker or child. */
export const SOURCE_FLAGS: readonly string[] = FROM_SOURCE ? ["--conditions=@photinus/source"] : [];

/** How a worker or child is started. */
export interface Entry {
  /** What Node runs. */
  readonly file: URL;
  /** Its first arguments. */
  readonly args: readonly string[];
}

/** Where a worker or child of this folder begins. */
export function entryOf(name: "worker" | "child" | "probe-child"): Entry {
  return FROM_SOURCE
    ? { file: new URL("./source-boot.mjs", import.meta.url), args: [`./${name}.ts`] }
    : { file: new URL(`./${name}.js`, import.meta.url), args: [] };
}
