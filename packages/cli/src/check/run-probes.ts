import { type Finding, failedBy, skipped } from "./finding.ts";
import type { Probe, Subject } from "./subject.ts";
import type { Way, WayProbe } from "./way.ts";

/** A finding with the name of its probe. */
export interface NamedFinding extends Finding {
  /** Name of the probe. */
  readonly probe: string;
  /** Address of the server that was looked at; absent for what is about this machine. */
  readonly address?: string;
}

/** Runs the probes of this machine one after another; a probe that fails by itself is a failure. */
export async function runProbes(
  probes: readonly Probe[],
  subject: Subject,
  tell: (finding: NamedFinding) => void,
): Promise<void> {
  for (const { name, run } of probes) {
    subject.signal.throwIfAborted();
    tell({ probe: name, ...(await run(subject).catch((error: unknown) => failedBy(error, "ERR_INTERNAL"))) });
  }
}

/** Walks the way to one address; behind the first failure nothing is looked at but what always is. */
export async function walk(
  probes: readonly WayProbe[],
  way: Way,
  tell: (finding: NamedFinding) => void,
): Promise<void> {
  let broken: string | undefined;
  try {
    for (const { name: probe, run, isAlways = false } of probes) {
      way.subject.signal.throwIfAborted();
      const finding =
        broken === undefined || isAlways
          ? await run(way).catch((error: unknown) => failedBy(error, "ERR_CONNECTION_REFUSED"))
          : skipped(`after ${broken} failed`);
      tell({ probe, address: way.url, ...finding });
      if (finding.outcome === "failed") broken ??= probe;
    }
  } finally {
    await way.facts.session?.close("ERR_GOING_AWAY", "the check is over").catch(() => undefined);
  }
}
