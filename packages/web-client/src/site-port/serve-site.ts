import { MessageError, PhotinusError } from "@photinus/core/errors";
import * as v from "valibot";
import type { SiteCall, SiteCalls, SiteNews } from "./contract.ts";
import { isSiteCall, parseRequest } from "./schema.ts";

/** What answers the calls of a page. */
export type SiteHandlers = {
  readonly [Call in SiteCall]: (request: SiteCalls[Call]["request"]) => Promise<SiteCalls[Call]["reply"]>;
};

/** The end of the page: the scope of a dedicated worker, or a port. */
export interface PagePort {
  /** Sends to the page. */
  postMessage(message: unknown): void;
  /** Hears from the page. */
  addEventListener(kind: "message", listener: (event: MessageEvent<unknown>) => void): void;
}

const envelope = v.strictObject({
  id: v.pipe(v.number(), v.safeInteger()),
  call: v.pipe(v.string(), v.maxLength(40)),
  request: v.unknown(),
});

/**
 * Answers the calls of the page at the other end of `port`. Errors cross as code and message, never as their cause.
 *
 * @returns a function that sends news
 */
export function serveSite(port: PagePort, handlers: SiteHandlers): (news: SiteNews) => void {
  port.addEventListener("message", ({ data }) => {
    const message = v.safeParse(envelope, data);
    if (message.success) void answer(port, handlers, message.output);
  });
  return (news) => port.postMessage({ kind: "news", news });
}

async function answer(
  port: PagePort,
  handlers: SiteHandlers,
  { id, call, request }: v.InferOutput<typeof envelope>,
): Promise<void> {
  try {
    if (!isSiteCall(call))
      throw new MessageError("ERR_TYPE_UNKNOWN", `the site worker knows no call ${call}`);
    port.postMessage({ kind: "reply", id, reply: await handle(handlers, call, request) });
  } catch (error) {
    const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
    const message = error instanceof Error ? error.message : "the site worker failed";
    port.postMessage({ kind: "error", id, code, message });
  }
}

function handle<Call extends SiteCall>(
  handlers: SiteHandlers,
  call: Call,
  request: unknown,
): Promise<SiteCalls[Call]["reply"]> {
  const handler: (request: SiteCalls[Call]["request"]) => Promise<SiteCalls[Call]["reply"]> = handlers[call];
  return handler(parseRequest(call, request));
}
