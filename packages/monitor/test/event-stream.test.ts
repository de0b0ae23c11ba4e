import { expect, test } from "vitest";
import { MAX_EVENT_LENGTH, readEvents, type ServerSentEvent } from "../src/event-stream.ts";

const encoder = new TextEncoder();

function streamOf(...chunks: readonly (string | Uint8Array)[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks)
        controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
      controller.close();
    },
  });
}

async function read(body: ReadableStream<Uint8Array>): Promise<ServerSentEvent[]> {
  const events: ServerSentEvent[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

test("reads id and data of each event and joins data lines", async () => {
  const events = await read(streamOf("id: 1\ndata: a\n\nid:2\ndata:b\ndata: c\n\n"));

  expect(events).toEqual([
    { id: "1", data: "a" },
    { id: "2", data: "b\nc" },
  ]);
});

test("reads events that arrive byte by byte, with any line ending", async () => {
  const bytes = [...encoder.encode(": still here\r\n\r\nid: 7\r\ndata: ä\r\n\r\n")].map((byte) =>
    Uint8Array.of(byte),
  );

  expect(await read(streamOf(...bytes))).toEqual([{ id: "7", data: "ä" }]);
});

test("leaves out comments and an event that was cut off", async () => {
  expect(await read(streamOf(": hello\n\ndata: whole\n\ndata: cut"))).toEqual([
    { id: undefined, data: "whole" },
  ]);
});

test("refuses an event that does not end", async () => {
  const chunk = "x".repeat(MAX_EVENT_LENGTH / 2 + 1);

  await expect(read(streamOf("data: ", chunk, chunk, chunk))).rejects.toMatchObject({
    code: "ERR_MESSAGE_MALFORMED",
  });
});

test("ends the response when its reader stops", async () => {
  let wasCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(encoder.encode("data: one\n\n")),
    cancel: () => {
      wasCancelled = true;
    },
  });

  for await (const { data } of readEvents(body)) if (data === "one") break;

  expect(wasCancelled).toBe(true);
});
