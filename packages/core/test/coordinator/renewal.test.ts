import { expect, test } from "vitest";
import { publicPrivacy } from "../../src/filter/index.ts";
import type { Identity } from "../../src/pki/index.ts";
import { silentLogger } from "../../src/platform/index.ts";
import { Site } from "../../src/site/index.ts";
import { seededRandom } from "../../src/testing/index.ts";
import { ADMIN, AdministeredServer } from "./an-administration.ts";

const DAY_MS = 86_400_000;

async function enrolled(): Promise<{ readonly server: AdministeredServer; readonly site: Identity }> {
  const server = await AdministeredServer.start();
  const admin = await server.as(ADMIN);
  const expiresAtMs = server.clock.now() + DAY_MS;
  const { fragment } = await server.run(
    admin.administration.invite({ org: "clinic", prefix: "ward", expiresAtMs }),
  );
  await server.run(admin.close());
  return { server, site: await server.enrol({ fragment }) };
}

/** The site as a host runs it. */
function running(server: AdministeredServer, identity: Identity) {
  const kept: (readonly Uint8Array[])[] = [];
  const site = new Site(
    {
      ...{ identity, project: "test", root: server.project.root.certificate.der, serverName: "hub" },
      ...{ dataNames: [], runtime: "node" },
    },
    {
      connector: { connect: () => Promise.resolve(server.connection()) },
      ...{ clock: server.clock, crypto: server.crypto, logger: silentLogger, random: seededRandom("site") },
      privacy: publicPrivacy(),
      createTrainer: () => {
        throw new RangeError("no job is offered");
      },
      decideJob: () => Promise.resolve("accept"),
      keepCertificate: async (chain) => void kept.push(chain),
    },
  );
  return { site, kept };
}

test("a site asks in its session for the next certificate once two thirds of its life are over, for the same key and name", async () => {
  const { server, site: identity } = await enrolled();
  await server.clock.advance(5 * DAY_MS);
  const { site, kept } = running(server, identity);

  site.start();
  await server.clock.advance(1000);

  expect(kept).toHaveLength(1);
  expect(kept[0]?.[0]).not.toEqual(identity.participant.chain[0]);
  expect((await server.records("renew"))[0]).toMatchObject({ object: "ward-1", outcome: "done" });
  await server.run(site.stop());
});

test("a site asks for none while its certificate is fresh", async () => {
  const { server, site: identity } = await enrolled();
  await server.clock.advance(DAY_MS);
  const { site, kept } = running(server, identity);

  site.start();
  await server.clock.advance(1000);

  expect(kept).toEqual([]);
  await server.run(site.stop());
});

test("a site that was away until its certificate had expired renews it by its key before it connects", async () => {
  const { server, site: identity } = await enrolled();
  await server.clock.advance(20 * DAY_MS);
  const { site, kept } = running(server, identity);

  site.start();
  await server.clock.advance(1000);

  expect(kept).toHaveLength(1);
  expect(site.status.activity).toBe("waiting");
  await server.run(site.stop());
});

test("a certificate that expired more than 30 days ago is not renewed", async () => {
  const { server, site } = await enrolled();
  await server.clock.advance(38 * DAY_MS);

  await expect(server.enrol({ key: site.signingKey })).rejects.toMatchObject({
    message: expect.stringContaining("too long ago"),
  });
});

test("a site that is suspended gets no certificate by its key, its link or a further device, until it is resumed", async () => {
  const server = await AdministeredServer.start();
  const first = await server.as(ADMIN);
  const wish = { org: "clinic", prefix: "ward", expiresAtMs: server.clock.now() + 30 * DAY_MS };
  const { fragment } = await server.run(first.administration.invite(wish));
  await server.run(first.close());
  const site = await server.enrol({ fragment });
  await server.clock.advance(5 * DAY_MS);
  const { administration } = await server.as(ADMIN);
  const { leafDigest: leaf, name, org, role } = site.participant;
  const device = { org, name, expiresAtMs: server.clock.now() + DAY_MS };
  const { fragment: next } = await server.run(administration.invite(device));
  const order = { leaf, name, org, role, reason: "lost laptop" };

  await server.run(administration.suspend({ kind: "suspend", ...order }));

  const key = site.signingKey;
  const suspended = { code: "ERR_SUSPENDED" };
  await expect(server.enrol({ key })).rejects.toMatchObject(suspended);
  await expect(server.enrol({ key, fragment })).rejects.toMatchObject(suspended);
  await expect(server.enrol({ fragment: next })).rejects.toMatchObject(suspended);
  await server.clock.advance(1);
  await server.run(administration.suspend({ kind: "resume", ...order }));
  expect((await server.enrol({ key })).participant.name).toBe(name);
});

test("two devices of one participant are one site to the server: the newest speaks", async () => {
  const { server, site: first } = await enrolled();
  const own = (await server.as(first)).administration;
  const invite = { org: "clinic", name: "ward-1", expiresAtMs: server.clock.now() + 60_000 };
  const { fragment } = await server.run(own.invite(invite));
  const second = await server.enrol({ fragment });
  const [{ coordinator }] = server.processes as [(typeof server.processes)[0]];

  const [one, other] = [running(server, first).site, running(server, second).site];
  one.start();
  await server.clock.advance(1000);
  other.start();
  await server.clock.advance(1000);

  expect(coordinator.sites().map(({ name }) => name)).toEqual(["ward-1"]);
  await server.run(one.stop());
  await server.run(other.stop());
});
