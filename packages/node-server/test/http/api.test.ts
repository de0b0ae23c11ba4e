import type { Observation } from "@photinus/core/message";
import { expect, test } from "vitest";
import { aHost } from "./host.ts";

const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

const increments: readonly Observation[] = [
  { kind: "increment", sequence: 2, change: { kind: "job", state: "running", reason: "", atMs: 5 } },
  {
    kind: "increment",
    sequence: 3,
    change: { kind: "job", state: "finished", reason: "rounds done", atMs: 9 },
  },
];

async function readUntil(response: Response, text: string): Promise<string> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let read = "";
  while (!read.includes(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    read += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
  return read;
}

test("lists every job to a token of the server and one job to its own token", async () => {
  const { get, tokens } = await aHost();
  const ids = async (token: string): Promise<string[]> => {
    const { jobs } = (await (await get("/api/jobs", bearer(token))).json()) as { jobs: { jobId: string }[] };
    return jobs.map(({ jobId }) => jobId);
  };

  expect(await ids(tokens.issue({ kind: "server" }))).toEqual(["job-1", "job-2"]);
  expect(await ids(tokens.issue({ kind: "job", jobId: "job-2" }))).toEqual(["job-2"]);
});

test("sends snapshot and increments as events with their sequence as id", async () => {
  const { get, tokens, federation } = await aHost();
  federation.increments = increments;
  const token = tokens.issue({ kind: "job", jobId: "job-1" });

  const response = await get("/api/jobs/job-1/observations", bearer(token));
  const events = (await response.text()).trimEnd().split("\n\n");

  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(response.headers.get("cache-control")).toContain("no-store");
  expect(events.map((event) => event.split("\n")[0])).toEqual(["id: 1", "id: 2", "id: 3"]);
  expect(JSON.parse(events[2]!.split("\ndata: ")[1]!)).toEqual(increments[1]);
});

test("goes on after the id that the reader saw last", async () => {
  const { get, tokens, federation } = await aHost();
  federation.increments = increments;
  const token = tokens.issue({ kind: "server" });

  const response = await get("/api/jobs/job-1/observations", {
    headers: { authorization: `Bearer ${token}`, "last-event-id": "1" },
  });

  expect(await response.text()).toMatch(/^id: 2\n/);
});

test("begins with a snapshot when the last id is no number", async () => {
  const { get, tokens } = await aHost();
  const token = tokens.issue({ kind: "server" });

  const response = await get("/api/jobs/job-1/observations", {
    headers: { authorization: `Bearer ${token}`, "last-event-id": "1e999" },
  });

  expect(await response.text()).toContain('"kind":"snapshot"');
});

test("keeps a quiet stream open by comments, and stops observing when the reader leaves", async () => {
  const { get, tokens, federation } = await aHost({ heartbeatMs: 5 });
  federation.increments = undefined;

  const response = await get("/api/jobs/job-1/observations", bearer(tokens.issue({ kind: "server" })));
  const text = await readUntil(response, ": still here");

  expect(text).toContain("id: 1\n");
  await expect.poll(() => federation.observers).toBe(0);
});

test("ends open streams when the server stops", async () => {
  const { get, tokens, federation, httpHost } = await aHost();
  federation.increments = undefined;
  const response = await get("/api/jobs/job-1/observations", bearer(tokens.issue({ kind: "server" })));

  await httpHost.stop();

  expect(await response.text()).toMatch(/^id: 1\n/);
});

test.each(["/api/jobs", "/api/jobs/job-1/observations"])(
  "answers %s without a token by 401",
  async (path) => {
    const { get, tokens } = await aHost();
    const revoked = tokens.issue({ kind: "server" });
    tokens.revoke(revoked);

    for (const init of [{}, bearer("wrong"), bearer(revoked), bearer("a".repeat(5_000))]) {
      const response = await get(path, init);

      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({
        code: "ERR_READ_TOKEN_REFUSED",
        message: expect.any(String),
        remedy: expect.any(String),
      });
    }
  },
);

test("takes no token from the address", async () => {
  const { get, tokens } = await aHost();

  const response = await get(`/api/jobs?token=${tokens.issue({ kind: "server" })}`);

  expect(response.status).toBe(401);
});

test("answers a token of another job by 403, whether the job exists or not", async () => {
  const { get, tokens } = await aHost();
  const token = tokens.issue({ kind: "job", jobId: "job-2" });

  for (const job of ["job-1", "job-9"]) {
    const response = await get(`/api/jobs/${job}/observations`, bearer(token));

    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "ERR_READ_TOKEN_SCOPE" });
  }
});

test("answers an unknown job by 404", async () => {
  const { get, tokens } = await aHost();

  const response = await get("/api/jobs/job-9/observations", bearer(tokens.issue({ kind: "server" })));

  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ code: "ERR_JOB_UNKNOWN" });
});

test("answers by 503 when too many watch", async () => {
  const { get, tokens, federation } = await aHost({ maximumObservers: 1 });
  federation.increments = undefined;
  const token = tokens.issue({ kind: "server" });
  const first = await get("/api/jobs/job-1/observations", bearer(token));

  expect((await get("/api/jobs/job-1/observations", bearer(token))).status).toBe(503);

  await first.body?.cancel();
  await expect.poll(() => federation.observers).toBe(0);
  federation.increments = [];
  expect((await get("/api/jobs/job-1/observations", bearer(token))).status).toBe(200);
});

test("lets only configured origins read by a token", async () => {
  const { get, tokens } = await aHost({ allowedOrigins: ["https://portal.example"] });
  const headers = { authorization: `Bearer ${tokens.issue({ kind: "server" })}` };

  const allowed = await get("/api/jobs", { headers: { ...headers, origin: "https://portal.example" } });
  const foreign = await get("/api/jobs", { headers: { ...headers, origin: "https://evil.example" } });
  const preflight = await get("/api/jobs", {
    method: "OPTIONS",
    headers: { origin: "https://portal.example" },
  });

  expect(allowed.headers.get("access-control-allow-origin")).toBe("https://portal.example");
  expect(allowed.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
  expect(foreign.headers.get("access-control-allow-origin")).toBeNull();
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
});

test("serves a published blob as immutable ciphertext", async () => {
  const { get, federation } = await aHost();

  const response = await get(`/blobs/${federation.digest}`);

  expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.of(1, 2, 3, 4, 5, 6));
  expect(response.headers.get("cache-control")).toContain("immutable");
  expect(response.headers.get("content-length")).toBe("6");
  const again = await get(`/blobs/${federation.digest}`, {
    headers: { "if-none-match": `"${federation.digest}"` },
  });
  expect(again.status).toBe(304);
});

test.each(["cd".repeat(32), "ab", "AB".repeat(32), "..%2f..%2fetc%2fpasswd"])(
  "answers a blob that was not published by 404: %s",
  async (digest) => {
    const { get } = await aHost();

    expect((await get(`/blobs/${digest}`)).status).toBe(404);
  },
);

test("tells health and readiness apart", async () => {
  const { get, federation } = await aHost();
  expect((await get("/readyz")).status).toBe(200);

  federation.ready = false;

  expect((await get("/healthz")).status).toBe(200);
  expect((await get("/readyz")).status).toBe(503);
});

test("exports figures in the format of Prometheus", async () => {
  const { get } = await aHost();
  await get("/healthz");

  const response = await get("/metrics");
  const text = await response.text();

  expect(response.headers.get("content-type")).toContain("text/plain");
  expect(text).toContain('photinus_http_requests_total{route="/healthz",status="200"} 1');
  expect(text).toMatch(/photinus_native_masking [01]/);
  expect(text).toContain("process_resident_memory_bytes");
});

test("gives figures off this machine only to a token of the whole server", async () => {
  const { get, tokens } = await aHost({ trustedProxies: ["127.0.0.1"] });
  const from = (token?: string): RequestInit => ({
    headers: { "x-forwarded-for": "203.0.113.9", ...(token ? { authorization: `Bearer ${token}` } : {}) },
  });

  expect((await get("/metrics", from())).status).toBe(401);
  expect((await get("/metrics", from(tokens.issue({ kind: "job", jobId: "job-1" })))).status).toBe(403);
  expect((await get("/metrics", from(tokens.issue({ kind: "server" })))).status).toBe(200);
});

/** A blob whose reader gets a first part and then nothing more. */
async function* endless(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield new Uint8Array(10);
  await new Promise(() => undefined);
}

test("one address reads so many blobs at a time; who stops reading makes room", async () => {
  const { get, federation } = await aHost({ limits: { blobReadsPerAddress: 2 } });
  federation.publishedBlob = () => ({ size: 20, read: () => endless() });
  const path = `/blobs/${federation.digest}`;
  const stop = new AbortController();
  const first = await get(path, { signal: stop.signal });
  const second = await get(path);

  const third = await get(path);

  expect([first.status, second.status, third.status]).toEqual([200, 200, 503]);
  expect(await third.json()).toMatchObject({ code: "ERR_BUSY" });
  expect(third.headers.get("retry-after")).toBe("5");
  stop.abort();
  await expect.poll(async () => (await get(path)).status).toBe(200);
});

test("a blob that was read to its end has given its place back", async () => {
  const { get, federation } = await aHost({ limits: { blobReads: 1 } });

  for (let count = 0; count < 5; count++) {
    expect((await (await get(`/blobs/${federation.digest}`)).arrayBuffer()).byteLength).toBe(6);
  }
});

test("readers of one address do not keep another from reading: the one that has read longest is cut", async () => {
  const { port, federation } = await aHost({ limits: { blobReads: 2 }, trustedProxies: ["127.0.0.1"] });
  federation.publishedBlob = () => ({ size: 20, read: () => endless() });
  const read = (from: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/blobs/${federation.digest}`, { headers: { "x-forwarded-for": from } });
  const first = await read("203.0.113.66");
  await read("203.0.113.66");

  expect((await read("192.0.2.1")).status).toBe(200);

  await expect(first.arrayBuffer()).rejects.toThrow();
});
