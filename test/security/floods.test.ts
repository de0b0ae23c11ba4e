import { once } from "node:events";
import { connect, Socket } from "node:net";
import { builtInRegistry, encode } from "@photinus/core/decomposer";
import { observe, resultRequest, siteReady, taskProgress } from "@photinus/core/message";
import { sleep } from "@photinus/core/platform";
import { expect, onTestFinished, test, vi } from "vitest";
import { rawRequest, upgradeRequest } from "../../packages/node-server/test/http/raw-request.ts";
import { atWork, clock, type Ground } from "./equipment/a-ground.ts";
import { HostileSite } from "./equipment/hostile-site.ts";
import { logIn, refusalOf } from "./equipment/log-in.ts";
import { RawPeer } from "./equipment/raw-peer.ts";

const PROTOCOL = ["Sec-WebSocket-Protocol: photinus.v1"];

/** A plain TCP connection that sends what it is told. */
async function aSocket(ground: Ground): Promise<Socket> {
  const socket = connect(ground.address.port, "127.0.0.1");
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

/** How many increments the observation log of a job has seen, from an arbitrary beginning. */
async function sequenceOf(ground: Ground, jobId: string): Promise<number> {
  const signal = new AbortController().signal;
  for await (const { sequence } of ground.server.coordinator.observe(jobId, { signal })) return sequence;
  throw new RangeError("no snapshot");
}

test("a handshake that never goes on is dropped when its time is up", async () => {
  const { ground, job } = await atWork({ server: { sessions: { timings: { handshakeMs: 800 } } } });
  const connection = await ground.connector.connect(new AbortController().signal);

  expect((await connection.ended).closeCode).toBe(4003);

  const refused = (await ground.events("login")).filter(({ outcome }) => outcome === "refused");
  expect(refused.map(({ reason }) => reason)).toEqual(["ERR_AUTH_FAILED"]);
  await ground.survives(job);
});

test("a handshake that comes byte by byte does not get more time for it", async () => {
  const { ground, job } = await atWork({ server: { sessions: { timings: { handshakeMs: 800 } } } });
  const socket = await aSocket(ground);
  socket.write(upgradeRequest("/ws", PROTOCOL));
  // One frame of 100 bytes, masked with zeros, of which a byte comes now and then.
  socket.write(Uint8Array.of(0x82, 0xe4, 0, 0, 0, 0));
  const drip = setInterval(() => socket.write(Uint8Array.of(0)), 20);
  onTestFinished(() => clearInterval(drip));

  socket.resume();
  await once(socket, "close");

  await ground.survives(job);
});

test("beyond the cap of half-open connections further ones are refused, and the others go on", async () => {
  const { ground, job } = await atWork({ server: { limits: { halfOpen: 5, halfOpenPerAddress: 5 } } });
  const idle = await Promise.all(
    Array.from({ length: 5 }, () => ground.connector.connect(new AbortController().signal)),
  );

  const refusal = await refusalOf(ground.connector.connect(new AbortController().signal));

  expect(refusal).toMatchObject({ code: "ERR_CONNECTION_REFUSED" });
  expect(refusal.message).toContain("503");
  for (const connection of idle) connection.close(1000, "");
  await Promise.all(idle.map(({ ended }) => ended));
  await vi.waitFor(async () => {
    const session = await logIn(ground, ground.siteIdentity("mallory"));
    await session.close("ERR_GOING_AWAY");
  });
  await ground.survives(job);
});

test("an address that connects too often is refused with the code and the remedy", async () => {
  const { ground, job } = await atWork({ server: { limits: { upgradesPerMinute: 6 } } });
  const answers: string[] = [];
  for (let count = 0; count < 8; count++) {
    const socket = await aSocket(ground);
    socket.write(upgradeRequest("/ws", PROTOCOL));
    const [answer] = await once(socket, "data");
    answers.push(String(answer));
    socket.destroy();
  }

  const refused = answers.filter((answer) => answer.startsWith("HTTP/1.1 429"));

  expect(refused.length).toBeGreaterThanOrEqual(2);
  expect(refused.at(-1)).toContain("ERR_RATE_LIMITED");
  expect(refused.at(-1)).toContain("remedy");
  expect(refused.at(-1)).toMatch(/Retry-After: \d+/);
  await ground.survives(job);
});

test("many addresses together are held to a rate as well", async () => {
  const { ground, job } = await atWork({
    server: { trustedProxies: ["127.0.0.1"], limits: { allUpgradesPerMinute: 10 } },
  });
  const statuses: string[] = [];
  for (let count = 0; count < 12; count++) {
    const socket = await aSocket(ground);
    socket.write(upgradeRequest("/ws", [...PROTOCOL, `X-Forwarded-For: 2001:db8:${count}::1`]));
    const [answer] = await once(socket, "data");
    statuses.push(String(answer).slice(9, 12));
    socket.destroy();
  }

  expect(statuses).toContain("429");
  await ground.survives(job);
});

test("one IPv6 network counts as one address: its owner has more than anybody can count", async () => {
  const { ground, job } = await atWork({
    server: { trustedProxies: ["127.0.0.1"], limits: { upgradesPerMinute: 4 } },
  });
  const statuses: string[] = [];
  for (let count = 1; count <= 6; count++) {
    const socket = await aSocket(ground);
    socket.write(upgradeRequest("/ws", [...PROTOCOL, `X-Forwarded-For: 2001:db8:0:7::${count}`]));
    const [answer] = await once(socket, "data");
    statuses.push(String(answer).slice(9, 12));
    socket.destroy();
  }

  expect(statuses).toEqual(["101", "101", "101", "101", "429", "429"]);
  await ground.survives(job);
});

test("a flood of half-open connections from one address does not keep another one out", async () => {
  const { ground, job } = await atWork({
    server: { trustedProxies: ["127.0.0.1"], limits: { halfOpen: 8, halfOpenPerAddress: 8 } },
  });
  const flood: Socket[] = [];
  for (let count = 0; count < 8; count++) {
    const socket = await aSocket(ground);
    socket.write(upgradeRequest("/ws", [...PROTOCOL, "X-Forwarded-For: 203.0.113.66"]));
    await once(socket, "data");
    flood.push(socket);
  }
  const evicted = once(flood[0] ?? new Socket(), "close");

  const session = await logIn(ground, ground.siteIdentity("mallory"));

  await evicted;
  expect(flood.filter(({ destroyed }) => !destroyed)).toHaveLength(7);
  await session.close("ERR_GOING_AWAY");
  await ground.survives(job);
});

test("as many half-open connections as there may be, from a few addresses, keep nobody else out", async () => {
  const { ground, job } = await atWork({ server: { trustedProxies: ["127.0.0.1"] } });
  const flood = Array.from({ length: 240 }, async (_, index) => {
    const socket = await aSocket(ground);
    socket.write(upgradeRequest("/ws", [...PROTOCOL, `X-Forwarded-For: 203.0.113.${index % 4}`]));
    const [answer] = await once(socket, "data");
    return String(answer).slice(9, 12);
  });
  const statuses = await Promise.all(flood);
  expect(statuses.filter((status) => status === "101").length).toBeGreaterThanOrEqual(200);

  for (let count = 0; count < 5; count++) {
    const session = await logIn(ground, ground.siteIdentity("mallory"));
    await session.close("ERR_GOING_AWAY");
  }

  await ground.survives(job);
});

test("a storm of log-ins is sent away with a time for each, and everybody who keeps it is let in", async () => {
  const names = Array.from({ length: 12 }, (_, index) => `storm-${index}`);
  const { ground, job } = await atWork({
    sites: ["honest", ...names],
    server: { limits: { halfOpen: 2, allUpgradesPerMinute: 60_000 } },
  });
  const waits: number[] = [];
  const storm = names.map(async (name) => {
    for (;;) {
      try {
        return await logIn(ground, ground.siteIdentity(name));
      } catch (error) {
        const seconds = /503: the server is busy, retry after (\d+) s/.exec(String(error))?.[1];
        if (seconds === undefined) throw error;
        waits.push(Number(seconds));
        await sleep(clock, Number(seconds) * 1000);
      }
    }
  });

  const sessions = await Promise.all(storm);

  expect(waits.length).toBeGreaterThan(0);
  expect(Math.max(...waits)).toBeLessThanOrEqual(60);
  for (const session of sessions) await session.close("ERR_GOING_AWAY");
  await ground.survives(job);
});

test("a flood of refused log-ins fills no disk: it is two records, with how many they were", async () => {
  const { ground, job } = await atWork({ server: { limits: { upgradesPerMinute: 1_000_000 } } });

  for (let count = 0; count < 200; count++) {
    const connection = await ground.connector.connect(new AbortController().signal);
    connection.send(new Uint8Array(20));
    expect((await connection.ended).closeCode).toBe(4003);
  }

  await ground.survives(job);
  await ground.server.stop();
  const refused = (await ground.events("login")).filter(({ outcome }) => outcome === "refused");
  expect(refused.map(({ object, details }) => [object, details])).toEqual([
    ["127.0.0.1", {}],
    ["127.0.0.1", { count: 199, ERR_FRAME_MALFORMED: 199 }],
  ]);
});

test("a refused upgrade does not keep its socket, though the peer never closes it", async () => {
  const { ground, job } = await atWork();
  const socket = connect({ port: ground.address.port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => {
    socket.destroy();
  });
  socket.on("error", () => undefined);
  socket.resume();
  socket.write(upgradeRequest("/elsewhere", PROTOCOL));

  await once(socket, "end");
  socket.write("still here");

  // Nobody holds the other end: what is sent there is answered by a reset.
  await vi.waitFor(() => {
    socket.write("still here");
    expect(socket.destroyed || socket.errored !== null).toBe(true);
  });
  await ground.survives(job);
});

test("an HTTP request that is no upgrade to the socket is answered and forgotten", async () => {
  const { ground, job } = await atWork();

  const answer = await rawRequest(ground.address.port, upgradeRequest("/ws", []));

  expect(answer).toContain("ERR_UPGRADE_REFUSED");
  await ground.survives(job);
});

test("a site that announces itself again and again, or floods with progress, is shown no more than a few times", async () => {
  const { ground, job } = await atWork();
  const mallory = await HostileSite.connect(ground);
  const task = mallory.tasks.next();
  ground.gate.open();
  const { jobId, taskId } = await task;
  const before = await sequenceOf(ground, jobId);

  for (let count = 0; count < 500; count++) {
    const progress = count / 1000;
    await mallory.session.send(taskProgress, { jobId, taskId, phase: "training", progress });
    await mallory.session.send(siteReady, {
      ...{ runtime: "node", dataNames: ["line"], preparedJobs: [], heldUpdates: [] },
    });
  }
  for (let count = 0; count < 500; count++) {
    expect((await mallory.refusals.next()).code).toBe("ERR_TYPE_UNKNOWN");
  }

  expect((await sequenceOf(ground, jobId)) - before).toBeLessThan(250);
  await mallory.session.close("ERR_GOING_AWAY");
  await ground.survives(job);
});

test("a user who asks for a thousand observations gets a few and is told about the rest", async () => {
  const { ground, job } = await atWork();
  const identity = await ground.project.add("member", "curious@example.org");
  const peer = await RawPeer.connect(ground, identity);
  const body = encode({ jobId: job.jobId }, builtInRegistry());

  for (let count = 0; count < 100; count++) await peer.sendInner(peer.message(observe.type, body));

  expect(await peer.refusal()).toBe("ERR_BUSY");
  await ground.survives(job);
});

test("a user who asks for a model again and again is served one at a time", async () => {
  const { ground, job } = await atWork();
  const [lead] = ground.project.users.values();
  if (lead === undefined) throw new RangeError("no lead");
  const peer = await RawPeer.connect(ground, lead);

  for (let count = 0; count < 20; count++) {
    await peer.sendInner(await peer.signed({ type: resultRequest.type, body: { jobId: job.jobId } }));
  }

  expect(await peer.refusal()).toBe("ERR_BUSY");
  await ground.survives(job);
});
