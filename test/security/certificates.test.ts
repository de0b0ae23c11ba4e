import type { Bytes } from "@photinus/core/bytes";
import { describeError, type ErrorCode } from "@photinus/core/errors";
import { connectSession } from "@photinus/core/session";
import { testProject } from "@photinus/core/testing";
import { FRAME_KIND, readFrame } from "@photinus/core/wire";
import { expect, test, vi } from "vitest";
import { atWork, clock, crypto, Ground } from "./equipment/a-ground.ts";
import { HostileSite } from "./equipment/hostile-site.ts";
import { anIdentity } from "./equipment/identities.ts";
import { inTheMiddle } from "./equipment/in-the-middle.ts";
import { logIn, refusalOf } from "./equipment/log-in.ts";
import { secondForm } from "./equipment/second-form.ts";

const DAY_MS = 86_400_000;

/** The reasons of the refused log-ins in the audit chain. */
async function refusedLogins(ground: Ground, count = 1): Promise<readonly string[]> {
  return await vi.waitFor(async () => {
    const refused = (await ground.events("login")).filter(({ outcome }) => outcome === "refused");
    expect(refused.length).toBeGreaterThanOrEqual(count);
    for (const { object } of refused) expect(object).toBe("127.0.0.1");
    return refused.map(({ reason }) => reason);
  });
}

function requireRemedy(code: string): void {
  expect(describeError(code as ErrorCode).remedy).not.toBe("");
}

test("an expired certificate is refused with its reason, and the others go on", async () => {
  const { ground, job } = await atWork();
  const { project, root: issuer } = ground.project;
  const expired = await anIdentity({ project, issuer, nowMs: clock.now() - 30 * DAY_MS, lifetimeMs: DAY_MS });

  const refusal = await refusalOf(logIn(ground, expired));

  expect(refusal).toMatchObject({ code: "ERR_AUTH_FAILED" });
  expect(refusal.message).toContain("ERR_CERTIFICATE_EXPIRED");
  requireRemedy(refusal.code);
  expect(await refusedLogins(ground)).toEqual(["ERR_CERTIFICATE_EXPIRED"]);
  await ground.survives(job);
});

test("a certificate of another project's root is refused, though all names in it are right", async () => {
  const { ground, job } = await atWork();
  const other = await testProject({ crypto, clock, sites: ["mallory"] });
  const foreign = await anIdentity({ project: other.project, issuer: other.root });

  const refusal = await refusalOf(logIn(ground, foreign));

  expect(refusal).toMatchObject({ code: "ERR_AUTH_FAILED" });
  expect(await refusedLogins(ground)).toEqual([
    expect.stringMatching(/^ERR_CERTIFICATE_(UNTRUSTED|SIGNATURE)$/),
  ]);
  await ground.survives(job);
});

test("a certificate of this root for another project is refused", async () => {
  const { ground, job } = await atWork();
  const wrong = await anIdentity({ project: "elsewhere", issuer: ground.project.root });

  expect(await refusalOf(logIn(ground, wrong))).toMatchObject({ code: "ERR_AUTH_FAILED" });

  expect(await refusedLogins(ground)).toEqual(["ERR_CERTIFICATE_NAME"]);
  await ground.survives(job);
});

test("a stolen certificate without its key learns nothing but that it failed", async () => {
  const { ground, job } = await atWork();
  const signingKey = await crypto.generateSigningKey(1);
  const thief = { participant: ground.siteIdentity("honest").participant, signingKey };

  const refusal = await refusalOf(logIn(ground, thief));

  expect(refusal).toMatchObject({ code: "ERR_AUTH_FAILED" });
  expect(refusal.message).not.toMatch(/certificate|signed|key/i);
  expect(await refusedLogins(ground)).toEqual(["ERR_AUTH_FAILED"]);
  await ground.survives(job);
});

test("a server's certificate does not connect as a client", async () => {
  const { ground, job } = await atWork();

  expect(await refusalOf(logIn(ground, ground.project.server))).toMatchObject({ code: "ERR_AUTH_FAILED" });

  expect(await refusedLogins(ground)).toEqual(["ERR_CERTIFICATE_PURPOSE"]);
  await ground.survives(job);
});

test("a site refuses a server whose root is another, before it says who it is", async () => {
  const ground = await Ground.open();
  const lured = await testProject({ crypto, clock, sites: ["honest"] });
  const [identity] = lured.sites.values();
  if (identity === undefined) throw new RangeError("no site");
  const sent: number[] = [];
  const watch = (frame: Bytes): readonly Bytes[] => {
    sent.push(readFrame(frame).kind);
    return [frame];
  };
  const connection = await inTheMiddle(ground.connector, { toServer: watch }).connect(
    new AbortController().signal,
  );
  const options = { ...ground.common, root: lured.root.certificate.der, identity };

  const refusal = await refusalOf(connectSession(connection, options, { clock, crypto }));

  expect(refusal).toMatchObject({ code: "ERR_CERTIFICATE_UNTRUSTED" });
  requireRemedy(refusal.code);
  expect(sent).toEqual([FRAME_KIND.handshake1, FRAME_KIND.error]);
});

test("the enrolment key that a server holds cannot make an administrator", async () => {
  const { ground, job } = await atWork();
  const { project, enrolmentCa } = ground.project;
  const { certificate: _, ...bare } = enrolmentCa;
  const minted = await anIdentity({
    ...{ project, role: "project_admin", name: "root@example.org" },
    issuer: {
      ...bare,
      certificate: {
        ...enrolmentCa.certificate,
        extensions: {
          ...enrolmentCa.certificate.extensions,
          names: { ...enrolmentCa.certificate.extensions.names, uris: [] },
        },
      },
    },
  });
  const { participant, signingKey } = minted;
  const chain = [...participant.chain, enrolmentCa.certificate.der];

  const refusal = await refusalOf(logIn(ground, { participant: { ...participant, chain }, signingKey }));

  expect(refusal).toMatchObject({ code: "ERR_AUTH_FAILED" });
  expect(await refusedLogins(ground)).toEqual(["ERR_CERTIFICATE_PURPOSE"]);
  await ground.survives(job);
});

test("the second form of a certificate's signature is the same certificate: it makes no second session", async () => {
  const { ground, job } = await atWork();
  const first = await HostileSite.connect(ground);
  const { participant, signingKey } = ground.siteIdentity("mallory");
  const chain = participant.chain.map(secondForm);

  const second = await HostileSite.connect(ground, { participant: { ...participant, chain }, signingKey });

  expect(chain).not.toEqual(participant.chain);
  expect(await first.session.ended).toMatchObject({ code: "ERR_SUPERSEDED", local: false });
  await second.session.close("ERR_GOING_AWAY");
  await ground.survives(job);
});

test("bytes behind a certificate, or a chain that is too long, are refused before anybody is let in", async () => {
  const { ground, job } = await atWork();
  const { participant, signingKey } = ground.siteIdentity("mallory");
  const [leaf = new Uint8Array()] = participant.chain;
  const { der } = ground.project.enrolmentCa.certificate;
  const chains = [[new Uint8Array([...leaf, 0])], [leaf, der, der, der]];

  for (const chain of chains) {
    const refusal = await refusalOf(logIn(ground, { participant: { ...participant, chain }, signingKey }));
    expect(refusal).toMatchObject({ code: "ERR_AUTH_FAILED" });
  }

  expect((await refusedLogins(ground)).length).toBeGreaterThan(0);
  await ground.survives(job);
});
