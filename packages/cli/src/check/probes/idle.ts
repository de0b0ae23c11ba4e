import { sleep } from "@photinus/core/platform";
import { failed, ok, skipped } from "../finding.ts";
import type { WayProbe } from "../way.ts";

/** Does an idle session live, as it has to between rounds? Only heartbeats go over it. */
export const idle: WayProbe = {
  name: "idle",
  async run({ facts, idleSeconds, subject }) {
    const { session } = facts;
    if (idleSeconds === undefined) return skipped("not asked for: --idle names seconds");
    if (session === undefined) return skipped("no session");
    const begin = performance.now();
    const waiting = new AbortController();
    const signal = AbortSignal.any([waiting.signal, subject.signal]);
    const waited = sleep(subject.clock, idleSeconds * 1000, signal).then(
      () => undefined,
      () => undefined,
    );
    const end = await Promise.race([waited, session.ended]);
    waiting.abort();
    if (end === undefined) return ok(`alive after ${idleSeconds} s`);
    const seconds = ((performance.now() - begin) / 1000).toFixed(1);
    return failed(
      "ERR_CONNECTION_LOST",
      `ended after ${seconds} s: ${end.code}`,
      "Raise the idle time of the ingress above a minute: proxy_read_timeout 3600s, and proxy_timeout 3600s of the stream module.",
    );
  },
};
