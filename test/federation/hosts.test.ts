import { throwAwayProject } from "@photinus/core/provision";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { aFederation, openKitOf } from "./a-federation.ts";
import { scriptedTrainer, smallJob } from "./scripted-trainer.ts";

const never = new AbortController().signal;

test("a site of another project is refused, recorded, and holds nobody up", async () => {
  const federation = await aFederation(1);
  const foreign = await throwAwayProject(
    { sites: 1, port: 8080 },
    { crypto: nodeCrypto(), clock: systemClock() },
  );
  const stranger = await federation.startSite(
    "site-1",
    scriptedTrainer(() => 0),
    await openKitOf(foreign, "site-1"),
  );
  await federation.startSite(
    "site-1",
    scriptedTrainer(() => 0.5),
  );

  const job = await (await federation.connectUser()).submit(smallJob(2, 1));
  const view = await job.ended();

  expect(view).toMatchObject({ state: "finished" });
  expect(view?.sites.map(({ name }) => name)).toEqual(["site-1"]);
  expect(stranger.status.fault).toBeDefined();
});

test("a user's certificate of another root gets no session", async () => {
  const federation = await aFederation(1);
  const foreign = await throwAwayProject(
    { sites: 1, port: 8080 },
    { crypto: nodeCrypto(), clock: systemClock() },
  );
  const own = federation.project.kits;
  const swapped = { ...foreign, kits: new Map([...own, ["site-1", foreign.kits.get("site-1")!]]) };
  const { identity } = await openKitOf(swapped, "site-1");
  const { root } = await openKitOf(federation.project, "site-1");
  // Pins the right root, so that it is the server that has to refuse.
  const site = await federation.startSite(
    "site-1",
    scriptedTrainer(() => 0),
    {
      ...(await openKitOf(federation.project, "site-1")),
      identity,
      root,
    },
  );

  await expect.poll(() => site.status.fault?.code).toBe("ERR_AUTH_FAILED");
  const outcomes: string[] = [];
  for await (const { event } of federation.storage.audit.read())
    outcomes.push(`${event.action} ${event.outcome}`);
  expect(outcomes).toContain("login refused");
});

test("an update that is not finite does not count: the round goes on without it and names the cause", async () => {
  const federation = await aFederation(3);
  await federation.startSite(
    "site-1",
    scriptedTrainer(() => 0.25),
  );
  await federation.startSite(
    "site-2",
    scriptedTrainer(() => 0.25),
  );
  await federation.startSite(
    "site-3",
    scriptedTrainer(() => Number.NaN),
  );

  const job = await (await federation.connectUser()).submit(smallJob(2, 2));
  const view = await job.ended();
  const { model } = await job.result();

  expect(view?.state).toBe("finished");
  const ofSite3 = view?.history
    .flatMap(({ contributions }) => contributions)
    .filter(({ site }) => site === "site-3");
  expect(ofSite3?.map(({ outcome, cause }) => [outcome, cause])).toEqual([
    ["refused", "ERR_TASK_FAILED"],
    ["refused", "ERR_TASK_FAILED"],
  ]);
  expect([...(model.get("w")?.f32 ?? [])]).toEqual(new Array(8).fill(0.5));
});

test("a peer that talks nonsense after the upgrade is dropped, and the round goes on", async () => {
  const federation = await aFederation(1);
  const connector = webSocketConnector({ url: federation.address.socketUrl });
  let release = (): void => undefined;
  const released = new Promise<number>((resolve) => {
    release = () => resolve(1);
  });
  await federation.startSite(
    "site-1",
    scriptedTrainer(() => released),
  );
  const job = await (await federation.connectUser()).submit(smallJob(1, 1));
  const ended = job.ended();

  const nonsense = await connector.connect(never);
  nonsense.send(new Uint8Array(100).fill(0x50));
  const silent = await connector.connect(never);
  const wrongKind = await connector.connect(never);
  // A frame of kind SESSION before any handshake: legal in form, illegal in this state.
  wrongKind.send(Uint8Array.of(0x50, 0x48, 1, 5, 0, 0, 0, 16, 0, 0, 0, 0, ...new Uint8Array(16)));
  await Promise.all([nonsense.ended, wrongKind.ended]);
  silent.close(1000, "");
  release();

  expect((await ended)?.state).toBe("finished");
});

test("a job goes on after a restart of the server where it was, and nothing accepted is lost", async () => {
  const first = await aFederation(2);
  let rounds = 0;
  let interrupt = (): void => undefined;
  const interrupted = new Promise<void>((resolve) => {
    interrupt = resolve;
  });
  const script = async (): Promise<number> => {
    rounds += 1;
    if (rounds === 5) interrupt(); // both sites are in round 3
    return 0.125;
  };
  await first.startSite("site-1", scriptedTrainer(script));
  await first.startSite("site-2", scriptedTrainer(script));
  const { jobId } = await (await first.connectUser()).submit(smallJob(6, 2), { submitToken: "t" });
  await interrupted;

  const second = await first.restart();
  const job = (await second.connectUser()).job(jobId);
  const view = await job.ended();
  const { version, model } = await job.result();

  expect(view?.state).toBe("finished");
  expect(view?.history.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(version).toBe(6);
  // Each round added exactly 1/8: none was lost, none counted twice.
  expect([...(model.get("w")?.f32 ?? [])]).toEqual(new Array(8).fill(0.75));
});
