import type { ResourceNeed } from "../../job/index.ts";
import type { ResourceSettings } from "./settings.ts";

/** What a job was promised or has. */
export interface GrantedResources {
  /** Numbers of the GPUs, and the memory on each that is the job's. */
  readonly gpus: readonly { readonly index: number; readonly memoryGiB: number }[];
  /** Units by the name of their list. */
  readonly units: Readonly<Record<string, readonly string[]>>;
}

/** Something is not there for a job at present. */
export interface Lack {
  /** What, for people. */
  readonly lacks: string;
}

/** What takes resources of one kind for a job beside those of others. */
type Manager = (
  need: ResourceNeed,
  settings: ResourceSettings,
  taken: readonly GrantedResources[],
) => Partial<GrantedResources> | Lack;

/** Named lists of units: from the front, each for one job. FLARE: ListResourceManager. */
const units: Manager = (need, settings, taken) => {
  const found: [string, readonly string[]][] = [];
  for (const [name, count] of Object.entries(need.units ?? {})) {
    const all = Object.hasOwn(settings.units ?? {}, name) ? (settings.units?.[name] ?? []) : [];
    const used = new Set(
      taken.flatMap((grant) => (Object.hasOwn(grant.units, name) ? (grant.units[name] ?? []) : [])),
    );
    const free = all.filter((unit) => !used.has(unit));
    if (free.length < count) return { lacks: `${free.length} of ${count} ${name} are free` };
    found.push([name, free.slice(0, count)]);
  }
  return { units: Object.fromEntries(found) };
};

/** Memory of GPUs: jobs share a GPU as long as it lasts, the first ones are filled first. FLARE: GPUResourceManager. */
const gpuMemory: Manager = ({ gpus: need }, { gpus = [] }, taken) => {
  if (need === undefined) return { gpus: [] };
  const { count, memoryGiB } = need;
  const usedOn = (at: number): number =>
    taken
      .flatMap((grant) => grant.gpus)
      .filter(({ index }) => index === at)
      .reduce((sum, grant) => sum + grant.memoryGiB, 0);
  const free = gpus.flatMap((gpu, index) =>
    gpu.memoryGiB - usedOn(index) >= memoryGiB ? [{ index, memoryGiB }] : [],
  );
  if (free.length < count) {
    return { lacks: `${free.length} of ${count} GPUs with ${memoryGiB} GiB are free` };
  }
  return { gpus: free.slice(0, count) };
};

/** What a job gets beside what others have, or what is missing. */
export function take(
  need: ResourceNeed,
  settings: ResourceSettings,
  taken: readonly GrantedResources[],
): GrantedResources | Lack {
  const nothing: GrantedResources = { gpus: [], units: {} };
  let granted = nothing;
  for (const manager of [units, gpuMemory]) {
    const part = manager(need, settings, taken);
    if ("lacks" in part) return part;
    granted = { ...granted, ...part };
  }
  return granted;
}
