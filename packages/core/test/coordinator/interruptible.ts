import type { JobDefinition } from "../../src/job/index.ts";
import type { JobView } from "../../src/message/index.ts";
import type { MetadataStore } from "../../src/platform/index.ts";
import type { Site } from "../../src/site/index.ts";
import { memoryMetadata } from "../../src/testing/index.ts";
import { TestFederation, type TestSiteOptions } from "./a-federation.ts";

/** Storage that tells when a journal entry is about to be written, and can pretend that the process died there. */
export function interruptible(): MetadataStore & {
  onJournal: ((number: number) => Promise<void>) | undefined;
} {
  const store = memoryMetadata();
  const wrapped = {
    ...store,
    onJournal: undefined as ((number: number) => Promise<void>) | undefined,
    create: async (key: string, value: Parameters<MetadataStore["create"]>[1]) => {
      if (key.startsWith("journal/")) await wrapped.onJournal?.(Number(key.split("/")[2]));
      return await store.create(key, value);
    },
  };
  return wrapped;
}

/** A job that ended, and what came of it. */
export interface FinishedJob {
  readonly view: JobView;
  /** Sites of each round, in the order in which their updates were added. */
  readonly order: readonly (readonly string[])[];
  /** Weights and bias of the newest model. */
  readonly model: readonly number[];
  readonly federation: TestFederation;
  readonly sites: readonly Site[];
}

/** What to run and where its server dies. */
export interface InterruptedJob {
  readonly workflow?: Partial<JobDefinition["workflow"]>;
  readonly definition?: Partial<JobDefinition>;
  /** The server dies as this call of the context is recorded. Default: never. */
  readonly crashAt?: number;
  readonly sites: Readonly<Record<string, TestSiteOptions>>;
}

/** Runs a job to its end in a federation of its own, on a virtual clock, through the death of its server. */
export async function runInterrupted(job: InterruptedJob): Promise<FinishedJob> {
  const metadata = interruptible();
  const federation = await TestFederation.start({ metadata });
  const sites = Object.entries(job.sites).map(([name, options]) => federation.site(name, options));
  await federation.clock.settle();
  const dead = new Promise<void>((resolve) => {
    metadata.onJournal = async (number) => {
      if (number !== job.crashAt) return;
      metadata.onJournal = undefined;
      resolve();
      await new Promise(() => undefined); // this process never gets any further
    };
  });
  const jobId = await federation.submit(
    { minimumSites: Object.keys(job.sites).length, ...job.workflow },
    job.definition,
  );
  if (job.crashAt !== undefined) {
    await federation.clock.runUntil(dead);
    await federation.clock.runUntil(federation.crash());
  }
  const view = await federation.untilEnd(jobId);
  const user = await federation.user();
  const { model } = await federation.clock.runUntil(user.job(jobId).result());
  await federation.stop();
  return {
    ...{ view, federation, sites },
    order: view.history.map(({ contributions }) =>
      contributions.filter(({ outcome }) => outcome === "accepted").map(({ site }) => site),
    ),
    model: model.entries().flatMap(([, tensor]) => [...tensor.f32]),
  };
}
