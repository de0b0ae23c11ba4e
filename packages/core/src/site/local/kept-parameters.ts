import type { Bytes } from "../../bytes/index.ts";
import { StorageError } from "../../errors/index.ts";
import {
  type ParameterSet,
  packParameters,
  type TensorLayout,
  unpackParameters,
} from "../../tensor/index.ts";

/** What a site keeps of a job from round to round: its personal parameters, or its control variate. Neither is ever sent. */
export type KeptKind = "personal" | "control";

/** Keeps tensors of jobs at a site, beyond the process. */
export interface ParameterStore {
  /** What was written last; `undefined` when nothing was. @throws StorageError */
  read(jobId: string, kind: KeptKind): Promise<Bytes | undefined>;
  /** Durable when it resolves. @throws StorageError */
  write(jobId: string, kind: KeptKind, parameters: Bytes): Promise<void>;
  /** Removes it; nothing there is no error. @throws StorageError */
  delete(jobId: string, kind: KeptKind): Promise<void>;
}

/** Keeps them for as long as the process lives. */
export function memoryParameters(): ParameterStore {
  const kept = new Map<string, Bytes>();
  const keyOf = (jobId: string, kind: KeptKind): string => `${jobId}/${kind}`;
  return {
    read: (jobId, kind) => Promise.resolve(kept.get(keyOf(jobId, kind))),
    async write(jobId, kind, parameters) {
      kept.set(keyOf(jobId, kind), parameters);
    },
    async delete(jobId, kind) {
      kept.delete(keyOf(jobId, kind));
    },
  };
}

/** One thing that is kept of one job. */
export interface KeptParameters {
  /** What was kept last, if anything. @throws StorageError `ERR_STORAGE_CORRUPT` when it is not of this layout */
  read(): Promise<ParameterSet | undefined>;
  /** Durable when it resolves. @throws StorageError */
  write(parameters: ParameterSet): Promise<void>;
  /** Removes it. @throws StorageError */
  delete(): Promise<void>;
}

/** Where it is kept, and as what. */
export interface KeptPlace {
  /** Id of the job: 32 hexadecimal digits. */
  readonly jobId: string;
  /** What it is. */
  readonly kind: KeptKind;
  /** Its tensors. */
  readonly layout: TensorLayout;
}

/** Tensors of one layout in a store. */
export function keptParameters({ jobId, kind, layout }: KeptPlace, store: ParameterStore): KeptParameters {
  return {
    async read() {
      const bytes = await store.read(jobId, kind);
      if (bytes === undefined) return undefined;
      if (bytes.byteLength !== layout.byteLength) {
        const problem = `what is kept of job ${jobId} (${kind}) has ${bytes.byteLength} bytes, not ${layout.byteLength}`;
        throw new StorageError("ERR_STORAGE_CORRUPT", problem);
      }
      return unpackParameters(layout, bytes);
    },
    write: (parameters) => store.write(jobId, kind, packParameters(parameters)),
    delete: () => store.delete(jobId, kind),
  };
}
