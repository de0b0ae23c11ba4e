import { type Bytes, toHex } from "@photinus/core/bytes";
import { createCertificateRequest, verifyChain } from "@photinus/core/pki";
import { type MetadataStore, type SigningKey, webCrypto } from "@photinus/core/platform";
import {
  buildJoinFragment,
  createInvite,
  DEFAULT_INVITE_QUOTA,
  EnrolledParticipants,
  type EnrolmentAuthority,
  type EnrolmentModules,
  type InviteOptions,
  InviteStore,
  inviteCode,
  parseJoinFragment,
  redeemInvite,
} from "@photinus/core/provision";
import { memoryMetadata, TEST_EPOCH_MS, type TestProject, testProject } from "@photinus/core/testing";
import { beforeAll, describe, expect, test } from "vitest";

const crypto = webCrypto();
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
let project: TestProject;
let authority: EnrolmentAuthority;

beforeAll(async () => {
  project = await testProject({ sites: [], users: [] });
  authority = { project: "test", issuer: project.enrolmentCa };
});

/** A server's side of enrolment with a clock that a test sets. */
async function enrolment(options: Partial<InviteOptions> = {}) {
  const time = { nowMs: TEST_EPOCH_MS };
  const metadata = memoryMetadata();
  const modules: EnrolmentModules = { crypto, metadata, clock: { now: () => time.nowMs } };
  const invite = await createInvite(
    { org: "guests", expiresAtMs: TEST_EPOCH_MS + HOUR_MS, ...options },
    modules,
  );
  return { time, metadata, modules, ...invite };
}

async function request(commonName = "wish", key?: SigningKey): Promise<Bytes> {
  return createCertificateRequest({ commonName }, key ?? (await crypto.generateSigningKey(1)), { crypto });
}

const refused = { code: "ERR_INVITE_REFUSED", message: "the invite is not valid" };

describe("an invite", () => {
  test("admits a site whose certificate every participant accepts", async () => {
    const { code, codeDigest, modules } = await enrolment();

    const site = await redeemInvite({ code, request: await request() }, authority, modules);

    expect(site).toMatchObject({ name: "guest-1", org: "guests", requestedName: "wish" });
    const verified = await verifyChain(
      site.chain,
      { root: project.root.certificate.der, project: "test", usage: "client", nowMs: TEST_EPOCH_MS },
      { crypto },
    );
    expect(verified.participant).toMatchObject({ role: "site", name: "guest-1", org: "guests" });
    expect(verified.inviteDigest).toEqual(codeDigest);
    expect(verified.notAfterMs).toBe(TEST_EPOCH_MS + 7 * DAY_MS);
  });

  test("gives the wished name when it has the invite's form and is free", async () => {
    const { code, modules } = await enrolment({ uses: 3, prefix: "lab" });
    const redeem = async (name: string) =>
      (await redeemInvite({ code, request: await request(name) }, authority, modules)).name;

    expect(await redeem("lab-blue")).toBe("lab-blue");
    expect(await redeem("lab-blue")).toBe("lab-1");
    expect(await redeem("clinic-a")).toBe("lab-2");
  });

  test("never gives a name that a kit carries", async () => {
    const { code, modules } = await enrolment();
    const careful = { ...authority, isProvisioned: (name: string) => name === "guest-1" };

    const site = await redeemInvite({ code, request: await request("guest-1") }, careful, modules);

    expect(site.name).toBe("guest-2");
  });

  test("issues again to the key that used it, when the answer was lost", async () => {
    const { code, modules } = await enrolment({ uses: 1 });
    const key = await crypto.generateSigningKey(1);

    const first = await redeemInvite({ code, request: await request("wish", key) }, authority, modules);
    const second = await redeemInvite({ code, request: await request("other", key) }, authority, modules);

    expect(second.name).toBe(first.name);
    await expect(redeemInvite({ code, request: await request() }, authority, modules)).rejects.toMatchObject(
      refused,
    );
  });

  test("is consumed once for each use when sites come at the same time", async () => {
    const { code, modules } = await enrolment({ uses: 3 });

    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, async () =>
        redeemInvite({ code, request: await request() }, authority, modules),
      ),
    );

    const names = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value.name] : []));
    expect(new Set(names).size).toBe(3);
  });

  test("stores its code nowhere", async () => {
    const { code, metadata, modules } = await enrolment();
    await redeemInvite({ code, request: await request() }, authority, modules);

    expect(await everything(metadata)).not.toContain(toHex(code));
  });
});

async function everything(metadata: MetadataStore): Promise<string> {
  const entries = await metadata.list("");
  return entries.map(({ key, value }) => `${key} ${toHex(value)}`).join("\n");
}

describe("an invite is refused, without telling why,", () => {
  test("when its code is unknown or too short", async () => {
    const { code, modules } = await enrolment();
    const unknown = code.slice();
    unknown[0] = (unknown[0] ?? 0) ^ 1;

    for (const bad of [unknown, code.slice(1), new Uint8Array(0)]) {
      await expect(
        redeemInvite({ code: bad, request: await request() }, authority, modules),
      ).rejects.toMatchObject(refused);
    }
  });

  test("when it is used up", async () => {
    const { code, modules } = await enrolment({ uses: 2 });
    await redeemInvite({ code, request: await request() }, authority, modules);
    await redeemInvite({ code, request: await request() }, authority, modules);

    await expect(redeemInvite({ code, request: await request() }, authority, modules)).rejects.toMatchObject(
      refused,
    );
  });

  test("when it has expired", async () => {
    const { code, modules, time } = await enrolment();
    time.nowMs += HOUR_MS;

    await expect(redeemInvite({ code, request: await request() }, authority, modules)).rejects.toMatchObject(
      refused,
    );
  });
});

describe("enrolment is refused", () => {
  test("to a key whose certificate was revoked, though it has used this invite before", async () => {
    const { code, modules } = await enrolment({ uses: 2 });
    const key = await crypto.generateSigningKey(1);
    const { name } = await redeemInvite({ code, request: await request("wish", key) }, authority, modules);
    await new EnrolledParticipants(modules.metadata).revoke(name);

    await expect(
      redeemInvite({ code, request: await request("wish", key) }, authority, modules),
    ).rejects.toMatchObject({ code: "ERR_REVOKED" });
    await expect(redeemInvite({ code, request: await request() }, authority, modules)).resolves.toBeDefined();
  });

  test("by a link that a device made which was revoked since", async () => {
    const { code, modules } = await enrolment();
    const key = await crypto.generateSigningKey(1);
    const { name } = await redeemInvite({ code, request: await request("wish", key) }, authority, modules);
    const participants = new EnrolledParticipants(modules.metadata);
    const [device] = (await participants.find(name))?.devices ?? [];
    const next = await inviteCode({ crypto });
    const terms = { org: "guests", name, uses: 1, expiresAtMs: TEST_EPOCH_MS + HOUR_MS, by: name };
    const adding = { quota: DEFAULT_INVITE_QUOTA, nowMs: TEST_EPOCH_MS };
    const invites = new InviteStore(modules.metadata);
    await invites.add(next.codeDigest, { ...terms, byKey: device?.key ?? "" }, adding);
    const redeem = async () =>
      redeemInvite({ code: next.code, request: await request() }, authority, modules);

    await participants.revoke(name);

    await expect(redeem()).rejects.toMatchObject({ code: "ERR_REVOKED" });
  });

  test("for a request that is not signed by its key, and uses nothing up", async () => {
    const { code, modules } = await enrolment({ uses: 1 });
    const forged = (await request()).slice();
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;

    await expect(redeemInvite({ code, request: forged }, authority, modules)).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_SIGNATURE",
    });
    await expect(redeemInvite({ code, request: await request() }, authority, modules)).resolves.toBeDefined();
  });

  test("for bytes that are no request", async () => {
    const { code, modules } = await enrolment();

    await expect(
      redeemInvite({ code, request: new Uint8Array(9000) }, authority, modules),
    ).rejects.toMatchObject({ code: "ERR_REQUEST_MALFORMED" });
    await expect(
      redeemInvite({ code, request: new Uint8Array([0x30, 0x00]) }, authority, modules),
    ).rejects.toMatchObject({ code: "ERR_REQUEST_MALFORMED" });
  });

  test("when the enrolment CA has expired", async () => {
    const { code, modules, time } = await enrolment({ expiresAtMs: TEST_EPOCH_MS + 365 * DAY_MS });
    time.nowMs += 91 * DAY_MS;

    await expect(redeemInvite({ code, request: await request() }, authority, modules)).rejects.toMatchObject({
      code: "ERR_CERTIFICATE_EXPIRED",
    });
  });
});

describe("a join link", () => {
  const link = {
    project: "mnist",
    serverName: "hub",
    rootFingerprint: new Uint8Array(32).fill(0xab),
    code: new Uint8Array(16).fill(0xcd),
  };

  test("brings project, server, root and code, with or without #", () => {
    const fragment = buildJoinFragment(link);

    expect(parseJoinFragment(fragment)).toEqual(link);
    expect(parseJoinFragment(`#${fragment}`)).toEqual(link);
    expect(fragment).toMatch(/^[A-Za-z0-9_-]{70,90}$/);
  });

  test("is refused when it is cut off, longer, altered in form, or of another version", () => {
    const fragment = buildJoinFragment(link);
    const bad = [
      "",
      "#",
      fragment.slice(0, -2),
      `${fragment}AA`,
      `${fragment}=`,
      `B${fragment.slice(1)}`,
      "A".repeat(300),
      buildJoinFragment({ ...link, project: "a" }).replace("AQFh", "AQFB"), // "a" becomes "A": no project name
    ];

    for (const text of bad) {
      expect(() => parseJoinFragment(text), text).toThrow(
        expect.objectContaining({ code: "ERR_INVITE_REFUSED" }),
      );
    }
  });
});
