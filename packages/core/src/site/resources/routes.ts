import { fromHex, toHex } from "../../bytes/index.ts";
import { PluginError } from "../../errors/index.ts";
import { resourceFacts } from "../../job/index.ts";
import {
  type ResourceAnswer,
  type ResourceCheck,
  resourceAnswer,
  resourceCancel,
  resourceCheck,
} from "../../message/index.ts";
import type { PluginHost } from "../../plugin/index.ts";
import { type MessageRoute, on } from "../../session/index.ts";
import type { ResourcePool } from "./pool.ts";

/** What answers a server's questions about resources. */
export interface ResourceDesk {
  readonly pool: ResourcePool;
  readonly plugins: PluginHost;
  /** Name of the site. */
  readonly site: string;
  /** Work that goes on beside messages: a plug-in may take its time. */
  readonly inBackground: (work: () => Promise<void>) => void;
}

/** What a server may ask about the resources of a site: what it keeps for a job, and that it comes not. */
export function resourceRoutes(desk: ResourceDesk): readonly MessageRoute[] {
  return [
    on(resourceCheck, (body, _message, session) => {
      const { jobId } = body;
      desk.inBackground(async () => {
        const answer = await answerTo(body, desk, session.signal);
        await session.send(resourceAnswer, { jobId, ...answer }, { scope: jobId });
      });
    }),
    on(resourceCancel, ({ jobId, token }) => desk.pool.cancel(jobId, toHex(token))),
  ];
}

async function answerTo(
  { jobId, ...need }: ResourceCheck,
  { pool, plugins, site }: ResourceDesk,
  signal: AbortSignal,
): Promise<Pick<ResourceAnswer, "lacks" | "token">> {
  try {
    const facts = resourceFacts(jobId, need, site);
    if (plugins.asks("resourceCheck"))
      await plugins.require("resourceCheck", facts, { signal, correlation: jobId });
  } catch (error) {
    if (error instanceof PluginError) return { lacks: error.message };
    throw error;
  }
  const kept = pool.check(jobId, need);
  return "lacks" in kept ? kept : { lacks: "", token: fromHex(kept.token) };
}
