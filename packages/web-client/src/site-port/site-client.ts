import { isErrorCode, WireError } from "@photinus/core/errors";
import * as v from "valibot";
import type { SiteCall, SiteCalls, SiteNews } from "./contract.ts";
import { parseNews, parseReply } from "./schema.ts";

/** A fault that the site worker reported: code of the registry and words. */
export class SiteCallError extends Error {
  /** Code of the registry of errors. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "SiteCallError";
    this.code = code;
  }
}

const envelope = v.variant("kind", [
  v.strictObject({ kind: v.literal("reply"), id: v.number(), reply: v.unknown() }),
  v.strictObject({
    kind: v.literal("error"),
    id: v.number(),
    code: v.pipe(v.string(), v.maxLength(64)),
    message: v.pipe(v.string(), v.maxLength(2000)),
  }),
  v.strictObject({ kind: v.literal("news"), news: v.unknown() }),
]);

interface Pending {
  readonly call: SiteCall;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** The page's end of the site worker. */
export interface SiteClient {
  /**
   * Asks the site worker.
   *
   * @param transfer buffers that are moved instead of copied
   * @throws SiteCallError with the code that the worker gave; WireError `ERR_CONNECTION_LOST` when it died
   */
  call<Call extends SiteCall>(
    call: Call,
    request: SiteCalls[Call]["request"],
    transfer?: readonly Transferable[],
  ): Promise<SiteCalls[Call]["reply"]>;
  /** Ends the worker. */
  close(): void;
}

/** Talks to the site worker at the other end of `worker`. */
export function siteClient(worker: Worker, onNews: (news: SiteNews) => void): SiteClient {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  const failAll = (): void => {
    for (const { reject } of pending.values()) {
      reject(new WireError("ERR_CONNECTION_LOST", "the worker of this page has ended: reload the page"));
    }
    pending.clear();
  };
  worker.addEventListener("error", failAll);
  worker.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
    const message = v.parse(envelope, data);
    if (message.kind === "news") {
      onNews(parseNews(message.news));
      return;
    }
    const waiting = pending.get(message.id);
    pending.delete(message.id);
    if (message.kind === "reply") waiting?.resolve(message.reply);
    else waiting?.reject(new SiteCallError(knownCode(message.code), message.message));
  });
  return {
    async call(call, request, transfer = []) {
      const id = ++lastId;
      const reply = await new Promise<unknown>((resolve, reject) => {
        pending.set(id, { call, resolve, reject });
        worker.postMessage({ id, call, request }, [...transfer]);
      });
      return parseReply(call, reply);
    },
    close() {
      worker.terminate();
      failAll();
    },
  };
}

const knownCode = (code: string): string => (isErrorCode(code) ? code : "ERR_INTERNAL");
