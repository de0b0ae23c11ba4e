import { MessageError } from "@photinus/core/errors";

/** One event of a stream: its id, if it has one, and its data. */
export interface ServerSentEvent {
  /** The `id` field, or `undefined` when the event carries none. */
  readonly id: string | undefined;
  /** The `data` lines joined by line feeds. */
  readonly data: string;
}

/** Longest event, in UTF-16 code units, that is collected before the stream is given up. */
export const MAX_EVENT_LENGTH: number = 8 * 1024 * 1024;

/**
 * Reads server-sent events (WHATWG HTML, section 9.2.6: event stream interpretation) from the body of a response.
 * Comments and the fields `event` and `retry` are ignored.
 *
 * @throws MessageError `ERR_MESSAGE_MALFORMED` when an event is longer than {@link MAX_EVENT_LENGTH}
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      buffer += decoder.decode(value, { stream: !done });
      const events = splitEvents(buffer);
      buffer = events.rest;
      yield* events.complete.flatMap(parseEvent);
      if (done) return;
      if (buffer.length > MAX_EVENT_LENGTH) {
        throw new MessageError(
          "ERR_MESSAGE_MALFORMED",
          `an event is longer than ${MAX_EVENT_LENGTH} characters`,
        );
      }
    }
  } finally {
    // Ends the request when the reader of the events stops early.
    await reader.cancel().catch(() => undefined);
  }
}

function splitEvents(text: string): { readonly complete: readonly string[]; readonly rest: string } {
  // A trailing CR may be the first half of a CRLF: it waits for the next chunk.
  const usable = text.endsWith("\r") ? text.slice(0, -1) : text;
  const blocks = usable.replaceAll("\r\n", "\n").replaceAll("\r", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  return { complete: blocks, rest: rest + text.slice(usable.length) };
}

function parseEvent(block: string): ServerSentEvent[] {
  const data: string[] = [];
  let id: string | undefined;
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") data.push(value);
    else if (field === "id") id = value;
  }
  return data.length === 0 ? [] : [{ id, data: data.join("\n") }];
}
