import { describe, expect, test } from "vitest";
import type { RequestDecision } from "../../src/message/index.ts";
import { ADMIN, AdministeredServer, fingerprintOf, ORG_ADMIN, SECOND_ADMIN } from "./an-administration.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const within = (server: AdministeredServer, ms: number): number => server.clock.now() + ms;

describe("an invite that an administrator signs", () => {
  test("admits a site by the link, is listed without its code, and is recorded with who made it", async () => {
    const server = await AdministeredServer.start();
    const { administration } = await server.as(ADMIN);

    const made = await server.run(
      administration.invite({ org: "clinic", prefix: "ward", uses: 2, expiresAtMs: within(server, DAY_MS) }),
    );
    const site = await server.enrol({ fragment: made.fragment });

    expect(site.participant).toMatchObject({ name: "ward-1", org: "clinic", role: "site" });
    expect(await server.run(administration.invites())).toMatchObject([
      { codeDigest: made.codeDigest, org: "clinic", names: "ward", uses: 2, used: 1, by: ADMIN },
    ]);
    const [record] = await server.records("invite");
    expect(record).toMatchObject({ outcome: "accepted", object: "clinic/ward-*" });
    expect(record?.actor).toContain(ADMIN);
  });

  test("is refused to a lead, to an administrator of another organization, and past the quota", async () => {
    const server = await AdministeredServer.start();
    const terms = { org: "clinic", expiresAtMs: within(server, DAY_MS) };
    const lead = await server.as("lead@example.org");
    const orgAdmin = await server.as(ORG_ADMIN);

    await expect(server.run(lead.administration.invite(terms))).rejects.toMatchObject({
      code: "ERR_TYPE_UNKNOWN",
    });
    await expect(server.run(orgAdmin.administration.invite(terms))).rejects.toMatchObject({
      code: "ERR_FORBIDDEN",
    });
    const own = { ...terms, org: "example" };
    await server.run(orgAdmin.administration.invite({ ...own, uses: 9_999 }));
    await expect(server.run(orgAdmin.administration.invite({ ...own, uses: 2 }))).rejects.toMatchObject({
      code: "ERR_QUOTA_EXCEEDED",
    });
    expect((await server.records("invite")).map(({ outcome }) => outcome)).toEqual([
      "refused",
      "accepted",
      "accepted",
      "failed",
    ]);
  });

  test("admits nobody once it was withdrawn, is used up, or has expired", async () => {
    const server = await AdministeredServer.start();
    const { administration } = await server.as(ADMIN);
    const make = (uses: number) =>
      server.run(administration.invite({ org: "clinic", uses, expiresAtMs: within(server, HOUR_MS) }));
    const [withdrawn, used, expired] = [await make(2), await make(1), await make(1)];
    await server.run(administration.withdrawInvite(withdrawn.codeDigest, "sent to the wrong list"));
    await server.enrol({ fragment: used.fragment });

    await expect(server.enrol({ fragment: withdrawn.fragment })).rejects.toMatchObject({
      code: "ERR_INVITE_REFUSED",
    });
    await expect(server.enrol({ fragment: used.fragment })).rejects.toMatchObject({
      code: "ERR_INVITE_REFUSED",
    });
    await server.clock.advance(HOUR_MS);
    await expect(server.enrol({ fragment: expired.fragment })).rejects.toMatchObject({
      code: "ERR_INVITE_REFUSED",
    });
    expect(await server.records("withdraw")).toMatchObject([
      { outcome: "accepted", reason: "sent to the wrong list" },
    ]);
  });

  test("shows and lets an organization's administrator end only what belongs to the organization", async () => {
    const server = await AdministeredServer.start();
    const admin = await server.as(ADMIN);
    const orgAdmin = await server.as(ORG_ADMIN);
    const { codeDigest } = await server.run(
      admin.administration.invite({ org: "clinic", expiresAtMs: within(server, HOUR_MS) }),
    );

    expect(await server.run(orgAdmin.administration.invites())).toEqual([]);
    await expect(
      server.run(orgAdmin.administration.withdrawInvite(codeDigest, "not mine")),
    ).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
  });
});

describe("a second device", () => {
  test("joins by an invite that the participant's own device signs, to three devices at most", async () => {
    const server = await AdministeredServer.start();
    const { administration } = await server.as(ADMIN);
    const terms = { org: "clinic", prefix: "ward", expiresAtMs: within(server, DAY_MS) };
    const first = await server.enrol({ fragment: (await server.run(administration.invite(terms))).fragment });
    const own = (await server.as(first)).administration;
    const device = { org: "clinic", name: "ward-1", expiresAtMs: within(server, HOUR_MS) };

    const second = await server.enrol({ fragment: (await server.run(own.invite(device))).fragment });
    await server.enrol({ fragment: (await server.run(own.invite(device))).fragment });
    const fourth = await server.run(own.invite(device));

    expect(second.participant).toMatchObject({ name: "ward-1", org: "clinic" });
    await expect(server.enrol({ fragment: fourth.fragment })).rejects.toMatchObject({
      code: "ERR_QUOTA_EXCEEDED",
    });
  });

  test("is invited by a site beside its work, which hears of a refusal and needs a session for it", async () => {
    const server = await AdministeredServer.start();
    const { administration } = await server.as(ADMIN);
    const terms = { org: "clinic", prefix: "ward", expiresAtMs: within(server, DAY_MS) };
    const identity = await server.enrol({
      fragment: (await server.run(administration.invite(terms))).fragment,
    });
    const site = server.site(identity);
    await expect(site.inviteDevice()).rejects.toMatchObject({ code: "ERR_CONNECTION_LOST" });
    site.start();
    await server.clock.settle();

    const links = [];
    for (let count = 0; count < 3; count++) links.push(await server.run(site.inviteDevice()));
    const [second, third, fourth] = links;
    const names = [];
    for (const fragment of [second, third])
      names.push((await server.enrol({ fragment: fragment ?? "" })).participant.name);

    expect(names).toEqual(["ward-1", "ward-1"]);
    await expect(server.enrol({ fragment: fourth ?? "" })).rejects.toMatchObject({
      code: "ERR_QUOTA_EXCEEDED",
    });
    await expect(server.run(site.inviteDevice())).rejects.toMatchObject({ code: "ERR_QUOTA_EXCEEDED" });
    expect(site.status).toMatchObject({ activity: "waiting", fault: undefined });
    await server.run(site.stop());
    await expect(site.inviteDevice()).rejects.toMatchObject({ code: "ERR_CONNECTION_LOST" });
  });

  test("takes over from the first, which hears of it, and back", async () => {
    const server = await AdministeredServer.start();
    const { administration } = await server.as(ADMIN);
    const terms = { org: "clinic", prefix: "ward", expiresAtMs: within(server, DAY_MS) };
    const first = server.site(
      await server.enrol({ fragment: (await server.run(administration.invite(terms))).fragment }),
    );
    first.start();
    await server.clock.settle();
    const second = server.site(await server.enrol({ fragment: await server.run(first.inviteDevice()) }));
    second.start();
    await server.clock.settle();

    expect(first.status).toMatchObject({ activity: "refused", fault: { code: "ERR_SUPERSEDED" } });
    expect(second.status).toMatchObject({ activity: "waiting", fault: undefined });
    expect(server.processes[0]?.coordinator.sites()).toMatchObject([{ name: "ward-1" }]);

    await server.clock.advance(300_000);
    expect(second.status).toMatchObject({ activity: "refused", fault: { code: "ERR_SUPERSEDED" } });
    expect(first.status).toMatchObject({ activity: "waiting", fault: undefined });
    await Promise.all([first.stop(), second.stop()].map((stopped) => server.run(stopped)));
  });

  test("is invited three times an hour, which leaves the organization's share to its administrators", async () => {
    const server = await AdministeredServer.start();
    const own = (await server.as("site-1")).administration;
    const { administration } = await server.as(ORG_ADMIN);
    const device = { org: "example", name: "site-1" };
    const invite = () => server.run(own.invite({ ...device, expiresAtMs: within(server, HOUR_MS) }));
    for (let count = 0; count < 3; count++) await invite();

    await expect(invite()).rejects.toMatchObject({ code: "ERR_QUOTA_EXCEEDED" });
    const all = { org: "example", prefix: "ward", uses: 10_000, expiresAtMs: within(server, DAY_MS) };
    await expect(server.run(administration.invite(all))).resolves.toBeDefined();
    await server.clock.advance(HOUR_MS);
    await expect(invite()).resolves.toBeDefined();
  });

  test("is nobody else's to invite, and not for longer than an hour", async () => {
    const server = await AdministeredServer.start();
    const site = (await server.as("site-1")).administration;
    const invite = (change: { readonly name?: string; readonly org?: string; readonly forMs?: number }) => {
      const { forMs = HOUR_MS, ...names } = change;
      const terms = { org: "example", name: "site-1", ...names, expiresAtMs: within(server, forMs) };
      return server.run(site.invite(terms));
    };

    await expect(invite({ name: "site-2" })).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
    await expect(invite({ org: "clinic" })).rejects.toMatchObject({ code: "ERR_FORBIDDEN" });
    await expect(invite({ forMs: 2 * HOUR_MS })).rejects.toMatchObject({ code: "ERR_MESSAGE_MALFORMED" });
  });
});

describe("a request without an invite", () => {
  const approve = async (
    key: Uint8Array<ArrayBuffer>,
    change: Partial<RequestDecision> = {},
  ): Promise<RequestDecision> => ({
    keyDigest: key,
    verdict: "approve",
    name: "lab-7",
    org: "clinic",
    reason: "compared by phone",
    ...change,
  });

  async function waiting(limits: Parameters<typeof AdministeredServer.start>[0] = {}) {
    const server = await AdministeredServer.start(limits);
    const key = await server.crypto.generateSigningKey(1);
    await expect(server.enrol({ key })).rejects.toMatchObject({ code: "ERR_REQUEST_PENDING" });
    return { server, key, digest: await fingerprintOf(key), admin: (await server.as(ADMIN)).administration };
  }

  test("waits, shows the fingerprint to both, and yields the name and organization that the approval gives", async () => {
    const { server, key, digest, admin } = await waiting();

    expect(await server.run(admin.requests())).toMatchObject([
      { keyDigest: digest, name: "lab-7", org: "example", state: "pending", approvalsNeeded: 1 },
    ]);
    expect(await server.run(admin.decide(await approve(digest)))).toBe("approved");
    const site = await server.enrol({ key });

    expect(site.participant).toMatchObject({ name: "lab-7", org: "clinic", role: "site" });
    expect((await server.enrol({ key })).participant.leafDigest).toEqual(site.participant.leafDigest);
  });

  test("that was denied hears why, and gets nothing", async () => {
    const { server, key, digest, admin } = await waiting();

    await server.run(admin.decide(await approve(digest, { verdict: "deny", reason: "unknown person" })));

    await expect(server.enrol({ key })).rejects.toMatchObject({ code: "ERR_REQUEST_DENIED" });
    expect(await server.records("deny")).toMatchObject([{ outcome: "accepted", reason: "unknown person" }]);
  });

  test("is decided by administrators of the project only, once, for a key that waits and a name that is free", async () => {
    const { server, digest, admin } = await waiting();
    const orgAdmin = (await server.as(ORG_ADMIN)).administration;

    await expect(server.run(orgAdmin.decide(await approve(digest)))).rejects.toMatchObject({
      code: "ERR_FORBIDDEN",
    });
    await expect(server.run(admin.decide(await approve(new Uint8Array(32))))).rejects.toMatchObject({
      code: "ERR_REQUEST_UNKNOWN",
    });
    await expect(server.run(admin.decide(await approve(digest, { name: "site-1" })))).rejects.toMatchObject({
      code: "ERR_NAME_TAKEN",
    });
    await server.run(admin.decide(await approve(digest)));
    await expect(server.run(admin.decide(await approve(digest)))).rejects.toMatchObject({
      code: "ERR_REQUEST_UNKNOWN",
    });
  });

  test("needs two administrators where the project says so, who agree and are not the same person", async () => {
    const { server, key, digest, admin } = await waiting({ approvals: 2 });
    const second = (await server.as(SECOND_ADMIN)).administration;

    expect(await server.run(admin.decide(await approve(digest)))).toContain("1 more");
    await expect(server.run(admin.decide(await approve(digest)))).rejects.toMatchObject({
      code: "ERR_REQUEST_UNKNOWN",
    });
    await expect(server.enrol({ key })).rejects.toMatchObject({ code: "ERR_REQUEST_PENDING" });
    await expect(server.run(second.decide(await approve(digest, { name: "lab-8" })))).rejects.toMatchObject({
      code: "ERR_NAME_TAKEN",
    });
    expect(await server.run(second.decide(await approve(digest)))).toBe("approved");
    expect((await server.enrol({ key })).participant.name).toBe("lab-7");
  });

  test("never counts as approved by the key that asks", async () => {
    const server = await AdministeredServer.start();
    const admin = server.identityOf(ADMIN);
    await expect(server.enrol({ key: admin.signingKey })).rejects.toMatchObject({
      code: "ERR_REQUEST_PENDING",
    });
    const { administration } = await server.as(ADMIN);

    const decision = await approve(await fingerprintOf(admin.signingKey));

    await expect(server.run(administration.decide(decision))).rejects.toMatchObject({
      code: "ERR_FORBIDDEN",
    });
  });

  test("is turned away when too many wait, and forgotten when nobody decides for two weeks", async () => {
    const server = await AdministeredServer.start({ pending: 1 });
    const key = await server.crypto.generateSigningKey(1);
    await expect(server.enrol({ key })).rejects.toMatchObject({ code: "ERR_REQUEST_PENDING" });

    await expect(server.enrol({})).rejects.toMatchObject({ code: "ERR_QUOTA_EXCEEDED" });
    await server.clock.advance(14 * DAY_MS);
    await expect(server.enrol({})).rejects.toMatchObject({ code: "ERR_REQUEST_PENDING" });
    await expect(server.enrol({ key })).rejects.toMatchObject({ code: "ERR_QUOTA_EXCEEDED" });
  });
});
