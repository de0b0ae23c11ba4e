import { afterEach, expect, test } from "vitest";
import { TestFederation } from "../../../core/test/coordinator/a-federation.ts";
import { signedJobOf } from "../../../core/test/coordinator/signed-job.ts";
import { CONSENT_TEXT } from "../../src/join/consent-text.ts";
import { Guest, LINE } from "./a-guest.ts";

const textVersion = CONSENT_TEXT.version;
let federation: TestFederation | undefined;

afterEach(async () => {
  await federation?.stop();
  federation = undefined;
});

async function aGuest(): Promise<Guest> {
  federation = await TestFederation.start();
  return new Guest(federation);
}

/** A job for the guest and one site more; returns when the guest was asked. */
async function aProposal(guest: Guest): Promise<string> {
  guest.federation.site("site-1");
  await guest.federation.clock.settle();
  const jobId = await guest.federation.submit({ rounds: 3, minimumSites: 2 });
  await guest.federation.clock.settle();
  return jobId;
}

test("enrols by the link with a key of its own and keeps it", async () => {
  const guest = await aGuest();

  const siteName = await guest.join(await guest.invitation());

  expect(siteName).toBe("guest-1");
  const stored = await guest.store.latest();
  expect(stored).toMatchObject({ project: "test", serverName: "hub" });
  expect(stored?.chain).toHaveLength(2);
  await expect(async () => guest.federation.crypto.exportSigningKey(stored!.signingKey)).rejects.toThrow(
    TypeError,
  );
});

test("asks before it trains, then takes part to the end", async () => {
  const guest = await aGuest();
  await guest.join(await guest.invitation());

  const jobId = await aProposal(guest);

  expect(guest.proposals).toMatchObject([{ jobId, name: "line", submitter: "lead@example.org", rounds: 3 }]);
  expect(guest.statuses.every(({ outgoing }) => outgoing.length === 0)).toBe(true);
  await guest.host.handlers.decide({ jobId, accepts: true, textVersion });
  const view = await guest.federation.untilEnd(jobId);
  expect(view).toMatchObject({ state: "finished" });
  expect(view.sites.find(({ name }) => name === "guest-1")).toMatchObject({
    accepted: 3,
    runtime: "browser",
  });
  expect(guest.statuses.at(-1)).toMatchObject({ committed: 3, job: { round: 3, device: "cpu" } });
  expect(await guest.store.findConsent("test", jobId)).toMatchObject({ textVersion });
});

test("declines what the person declines", async () => {
  const guest = await aGuest();
  await guest.join(await guest.invitation());
  const jobId = await aProposal(guest);

  await guest.host.handlers.decide({ jobId, accepts: false, textVersion });
  await guest.federation.clock.settle();

  expect(await guest.store.findConsent("test", jobId)).toBeUndefined();
  expect(guest.statuses.every(({ activity }) => activity !== "training")).toBe(true);
});

test("refuses an answer to a task that nobody asked about", async () => {
  const guest = await aGuest();
  await guest.join(await guest.invitation());

  await expect(guest.host.handlers.decide({ jobId: "x", accepts: true, textVersion })).rejects.toMatchObject({
    code: "ERR_JOB_UNKNOWN",
  });
});

test("goes on after a reload without the link, as the same site and without asking again", async () => {
  const first = await aGuest();
  await first.join(await first.invitation());
  const jobId = await aProposal(first);
  await first.host.handlers.decide({ jobId, accepts: true, textVersion });
  await first.federation.clock.settle();
  await first.federation.clock.runUntil(first.host.handlers.pause(null));

  const second = new Guest(first.federation, first.store);
  const invitation = await second.host.handlers.open({ fragment: "" });
  await second.host.handlers.useData(LINE);
  await second.federation.clock.runUntil(second.host.handlers.join(null));
  const view = await second.federation.untilEnd(jobId);

  expect(invitation).toEqual({ project: "test", serverName: "hub", siteName: "guest-1" });
  expect(second.proposals).toEqual([]);
  expect(view).toMatchObject({ state: "finished" });
});

test("refuses a job that had ended when the page is opened again", async () => {
  const first = await aGuest();
  await first.join(await first.invitation());
  const jobId = await aProposal(first);
  await first.host.handlers.decide({ jobId, accepts: true, textVersion });
  await first.federation.untilEnd(jobId);
  await first.federation.clock.settle();
  await first.federation.clock.runUntil(first.host.handlers.pause(null));
  const second = new Guest(first.federation, first.store);
  await second.host.handlers.open({ fragment: "" });
  await second.host.handlers.useData(LINE);
  await second.federation.clock.runUntil(second.host.handlers.join(null));
  await second.federation.clock.settle();
  const session = second.session;

  const { object, chain } = await signedJobOf(second.federation, jobId);
  await session?.sendObject(object, chain);

  await expect(session?.ended).resolves.toMatchObject({ code: "ERR_ENVELOPE_REPLAYED" });
  expect(second.statuses.every(({ job }) => job === undefined)).toBe(true);
});

test("does not join while what it has seen is damaged", async () => {
  const first = await aGuest();
  await first.join(await first.invitation());
  await first.federation.clock.runUntil(first.host.handlers.pause(null));
  await first.store.objects("test", "").create("object-1", Uint8Array.of(1));
  const second = new Guest(first.federation, first.store);
  await second.host.handlers.open({ fragment: "" });
  await second.host.handlers.useData(LINE);

  const joining = second.federation.clock.runUntil(second.host.handlers.join(null));

  await expect(joining).rejects.toMatchObject({ code: "ERR_SEEN_OBJECTS_CORRUPT" });
  expect(second.connections).toBe(0);
});

test("asks again when another job comes under an id that was agreed to", async () => {
  const first = await aGuest();
  await first.join(await first.invitation());
  const jobId = await aProposal(first);
  await first.federation.clock.runUntil(first.host.handlers.pause(null));
  const agreed = { digest: "00".repeat(32), submitter: "lead@example.org", textVersion, agreedAtMs: 0 };
  await first.store.saveConsent({ project: "test", jobId, ...agreed });

  const second = new Guest(first.federation, first.store);
  await second.host.handlers.open({ fragment: "" });
  await second.host.handlers.useData(LINE);
  await second.federation.clock.runUntil(second.host.handlers.join(null));
  await second.federation.clock.settle();

  expect(second.proposals).toMatchObject([{ jobId }]);
});

test("gives up the round that runs when it pauses, and carries on with what it had before", async () => {
  let isHeld = true;
  const gate = {
    beforeTrain: (_request: unknown, { signal }: { readonly signal: AbortSignal }): Promise<void> =>
      new Promise((resolve, reject) => {
        if (!isHeld) resolve();
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  };
  federation = await TestFederation.start();
  const guest = new Guest(federation, undefined, gate);
  await guest.join(await guest.invitation());
  const jobId = await aProposal(guest);
  await guest.host.handlers.decide({ jobId, accepts: true, textVersion });
  await federation.clock.settle();
  expect(guest.statuses.at(-1)).toMatchObject({ activity: "training", outgoing: [] });

  await federation.clock.runUntil(guest.host.handlers.pause(null));
  const paused = guest.statuses.at(-1);
  isHeld = false;
  await guest.host.handlers.resume(null);
  await federation.untilEnd(jobId);

  expect(paused).toMatchObject({ activity: "stopped", committed: 0 });
  const last = guest.statuses.at(-1);
  expect(last?.committed).toBeGreaterThan(0);
  expect(last?.bytesUp).toBeGreaterThan(paused?.bytesUp ?? 0);
  expect(new Set(last?.outgoing.map(({ round }) => round)).size).toBe(last?.outgoing.length);
});

test("leaving deletes key, certificate and agreements", async () => {
  const guest = await aGuest();
  await guest.join(await guest.invitation());

  await guest.federation.clock.runUntil(guest.host.handlers.leave(null));

  expect(await guest.store.latest()).toBeUndefined();
  await expect(guest.host.handlers.open({ fragment: "" })).rejects.toMatchObject({
    code: "ERR_INVITE_REFUSED",
  });
});

test("asks again with the same key when the answer to the first enrolment was lost", async () => {
  const guest = await aGuest();
  const fragment = await guest.invitation(1);
  await guest.join(fragment);
  const stored = await guest.store.latest();
  if (stored === undefined) throw new Error("nothing was kept");
  await guest.store.save({ ...stored, chain: [], root: new Uint8Array(0) }); // as before the answer came

  const again = new Guest(guest.federation, guest.store);

  expect(await again.join(fragment)).toBe("guest-1");
});

test.each([
  ["a link that was cut off", "AbC"],
  ["no link", ""],
])("refuses %s", async (_name, fragment) => {
  const guest = await aGuest();

  await expect(guest.host.handlers.open({ fragment })).rejects.toMatchObject({ code: "ERR_INVITE_REFUSED" });
});

test("refuses a link that is used up, and tells no more than that", async () => {
  const guest = await aGuest();
  const fragment = await guest.invitation(1);
  await guest.join(fragment);

  const other = new Guest(guest.federation);

  await expect(other.join(fragment)).rejects.toMatchObject({ code: "ERR_INVITE_REFUSED" });
});
