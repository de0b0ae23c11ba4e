import { fromHex, toHex } from "../../bytes/index.ts";
import { resourceAnswer, resourceCancel, resourceCheck } from "../../message/index.ts";
import { type MessageRoute, on } from "../../session/index.ts";
import type { ResourcePool } from "./pool.ts";

/** What a server may ask about the resources of a site: what it keeps for a job, and that it comes not. */
export function resourceRoutes(pool: ResourcePool): readonly MessageRoute[] {
  return [
    on(resourceCheck, async ({ jobId, ...need }, _message, session) => {
      const kept = pool.check(jobId, need);
      const answer = "lacks" in kept ? kept : { lacks: "", token: fromHex(kept.token) };
      await session.send(resourceAnswer, { jobId, ...answer }, { scope: jobId });
    }),
    on(resourceCancel, ({ jobId, token }) => pool.cancel(jobId, toHex(token))),
  ];
}
