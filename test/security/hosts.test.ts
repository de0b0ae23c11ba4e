import { createServer } from "node:net";
import { describeError, HostError } from "@photinus/core/errors";
import { testProject } from "@photinus/core/testing";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import { expect, onTestFinished, test } from "vitest";
import { rawRequest } from "../../packages/node-server/test/http/raw-request.ts";
import { atWork, clock, crypto, type Ground, serverKit, temporaryFolder } from "./equipment/a-ground.ts";
import { refusalOf } from "./equipment/log-in.ts";
import { RecordingLogger } from "./equipment/recording-logger.ts";

/** A server that is not started yet. */
async function aServer(options: { readonly port: number; readonly host?: string; readonly pages?: string }) {
  const project = await testProject({ crypto, clock });
  const storage = await openStorage({ folder: await temporaryFolder() }, { crypto });
  const logger = new RecordingLogger();
  const server = new PhotinusServer(
    { kit: serverKit(project), ...options },
    { storage, clock, crypto, logger },
  );
  onTestFinished(async () => {
    await server.stop();
    await storage.close();
  });
  return server;
}

/** A request with a bearer token. */
async function get(ground: Ground, path: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${ground.address.origin}${path}`, { headers });
  return { status: response.status, body: (await response.json()) as { code: string; remedy: string } };
}

test("a port in use is told with code and remedy, and who uses it is left alone", async () => {
  const { ground, job } = await atWork();
  const second = await aServer({ port: ground.address.port });

  const refusal = await refusalOf(second.start());

  expect(refusal).toBeInstanceOf(HostError);
  expect(refusal).toMatchObject({ code: "ERR_PORT_IN_USE" });
  expect(refusal.message).toContain(String(ground.address.port));
  expect(describeError("ERR_PORT_IN_USE").remedy).toContain("--port");
  await ground.survives(job);
});

test("a port of another program is not taken from it either", async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    other.close();
  });
  const address = other.address();
  if (address === null || typeof address === "string") throw new Error("no port");

  expect(await refusalOf((await aServer({ port: address.port })).start())).toMatchObject({
    code: "ERR_PORT_IN_USE",
  });
});

test("clear mode off loopback serves no page: it refuses to start", async () => {
  for (const host of ["0.0.0.0", "::", "192.0.2.1"]) {
    const server = await aServer({ port: 0, host, pages: await temporaryFolder() });

    expect(await refusalOf(server.start()), host).toMatchObject({ code: "ERR_CLEAR_NOT_LOOPBACK" });
  }
});

test("what a job shows is read by its token only, and every refusal says what to do", async () => {
  const { ground, job } = await atWork();
  const path = `/api/jobs/${job.jobId}/observations`;
  const other = ground.server.tokens.issue({ kind: "job", jobId: "0".repeat(32) });
  const taken = ground.server.tokens.issue({ kind: "job", jobId: job.jobId });
  ground.server.tokens.revoke(taken);

  const refusals = [
    await get(ground, path),
    await get(ground, `${path}?token=${other}`),
    await get(ground, path, { authorization: "Bearer ffff" }),
    await get(ground, path, { authorization: `Bearer ${taken}` }),
    await get(ground, path, { authorization: `Bearer ${other}` }),
  ];

  expect(refusals.map(({ status }) => status)).toEqual([401, 401, 401, 401, 403]);
  for (const { body } of refusals) expect(body.remedy).not.toBe("");
  const jobs = await fetch(`${ground.address.origin}/api/jobs`, {
    headers: { authorization: `Bearer ${other}` },
  });
  expect(await jobs.text()).not.toContain(job.jobId);
  await ground.survives(job);
});

test("figures are for this machine only, also when a proxy on it forwards a stranger", async () => {
  const { ground, job } = await atWork();

  const local = await fetch(`${ground.address.origin}/metrics`);
  const forwarded = await get(ground, "/metrics", { "x-forwarded-for": "203.0.113.9" });
  const standard = await get(ground, "/metrics", { forwarded: "for=203.0.113.9" });

  expect(local.status).toBe(200);
  expect([forwarded.status, standard.status]).toEqual([401, 401]);
  await ground.survives(job);
});

test("a page of another name that DNS has led to this machine reads no figures", async () => {
  const { ground, job } = await atWork();
  const { port } = ground.address;

  const answer = await rawRequest(
    port,
    `GET /metrics HTTP/1.1\r\nHost: attacker.example:${port}\r\nConnection: close\r\n\r\n`,
  );

  expect(answer).toMatch(/^HTTP\/1\.1 401/);
  await ground.survives(job);
});

test("paths that lead out of a folder, and blobs that are no digests, find nothing", async () => {
  const { ground, job } = await atWork();

  for (const path of [
    "/../../etc/passwd",
    "/demo/..%2f..%2fetc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/blobs/../photinus.db",
    `/blobs/${"A".repeat(64)}`,
    "/%ff%fe",
    "/%00",
  ]) {
    const answer = await rawRequest(
      ground.address.port,
      `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`,
    );
    expect(answer, path).toMatch(/^HTTP\/1\.1 40[04]/);
    expect(answer).not.toContain("root:");
  }

  await ground.survives(job);
});

test("a request of megabytes, or with headers of megabytes, is cut off", async () => {
  const { ground, job } = await atWork();
  const { port } = ground.address;

  const headers = await rawRequest(
    port,
    `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${"x".repeat(100_000)}\r\n\r\n`,
  );
  const posted = await fetch(`${ground.address.origin}/api/jobs`, {
    method: "POST",
    body: "x".repeat(5_000_000),
  }).catch(() => undefined);

  expect(headers).toMatch(/^HTTP\/1\.1 431/);
  expect(posted === undefined || posted.status === 405).toBe(true);
  await ground.survives(job);
});
