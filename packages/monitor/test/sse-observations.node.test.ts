// In Node only: it needs a server that drops connections.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Observation } from "@photinus/core/message/observation";
import { afterEach, expect, test } from "vitest";
import { type ConnectionState, sseObservations } from "../src/sse-observations.ts";
import { aRunningJob, aSite } from "./fixtures.ts";

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

/** A server that gives the n-th request the n-th answer. */
async function serve(...answers: readonly Answer[]): Promise<{ url: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const listening = createServer((request, response) => {
    answers[requests.push(request) - 1]?.(response, request);
  });
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`, requests };
}

const events =
  (...observations: readonly Observation[]): Answer =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const item of observations)
      response.write(`id: ${item.sequence}\ndata: ${JSON.stringify(item)}\n\n`);
    response.end();
  };

const status =
  (code: number): Answer =>
  (response) => {
    response.writeHead(code).end();
  };

const snapshot = (sequence: number): Observation => ({ kind: "snapshot", sequence, job: aRunningJob() });
const increment = (sequence: number): Observation => ({
  kind: "increment",
  sequence,
  change: { kind: "site", site: aSite("site-1") },
});
const finished = (sequence: number): Observation => ({
  kind: "increment",
  sequence,
  change: { kind: "job", state: "finished", reason: "rounds done", atMs: 1 },
});

async function observeAll(url: string): Promise<{ sequences: number[]; states: string[]; delays: number[] }> {
  const states: string[] = [];
  const delays: number[] = [];
  const source = sseObservations({
    server: url,
    job: "job/1",
    token: "secret",
    onConnection: (state: ConnectionState) => states.push(state.kind),
    wait: async (delayMs) => {
      delays.push(delayMs);
    },
  });
  const sequences: number[] = [];
  for await (const { sequence } of source.observe(new AbortController().signal)) sequences.push(sequence);
  return { sequences, states, delays };
}

test("sends the token in a header only and ends with the job", async () => {
  const { url, requests } = await serve(events(snapshot(4), finished(5)));

  expect((await observeAll(url)).sequences).toEqual([4, 5]);
  expect(requests[0]?.url).toBe("/api/jobs/job%2F1/observations");
  expect(requests[0]?.headers.authorization).toBe("Bearer secret");
});

test("takes a lost connection up again behind the last observation", async () => {
  const { url, requests } = await serve(events(snapshot(4), increment(5)), events(increment(6), finished(7)));

  const { sequences, states } = await observeAll(url);

  expect(sequences).toEqual([4, 5, 6, 7]);
  expect(requests[1]?.headers["last-event-id"]).toBe("5");
  expect(states).toEqual(["connecting", "live", "reconnecting", "live"]);
});

test("asks for a new snapshot when a number is missing", async () => {
  const { url, requests } = await serve(events(snapshot(4), increment(6)), events(snapshot(6), finished(7)));

  expect((await observeAll(url)).sequences).toEqual([4, 6, 7]);
  expect(requests[1]?.headers["last-event-id"]).toBeUndefined();
});

test("waits twice as long after each failure, up to a limit, and starts over after a success", async () => {
  const failures = Array.from({ length: 7 }, () => status(503));
  const { url } = await serve(...failures, events(snapshot(1)), events(finished(2)));

  expect((await observeAll(url)).delays).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000, 500]);
});

test("tries again after an event that is not what it must be", async () => {
  const { url } = await serve(
    (response) => response.writeHead(200).end("data: {broken\n\n"),
    events(snapshot(1), finished(2)),
  );

  expect((await observeAll(url)).sequences).toEqual([1, 2]);
});

test.each([
  [401, "ERR_FORBIDDEN"],
  [403, "ERR_FORBIDDEN"],
  [404, "ERR_JOB_UNKNOWN"],
])("gives up on HTTP %d", async (code, expected) => {
  const { url } = await serve(status(code));

  await expect(observeAll(url)).rejects.toMatchObject({ code: expected });
});

test("ends without an error when its signal is aborted", async () => {
  const { url } = await serve((response) => {
    response.writeHead(200);
    response.write(`data: ${JSON.stringify(snapshot(1))}\n\n`);
  });
  const abort = new AbortController();
  const source = sseObservations({ server: url, job: "j", token: "" });

  const sequences: number[] = [];
  for await (const { sequence } of source.observe(abort.signal)) {
    sequences.push(sequence);
    abort.abort();
  }

  expect(sequences).toEqual([1]);
});
