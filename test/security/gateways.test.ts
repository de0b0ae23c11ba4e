import { join } from "node:path";
import { createCertificateRequest } from "@photinus/core/pki";
import { parseJoinFragment } from "@photinus/core/provision";
import { connectSession, enrolOverSession, type Session } from "@photinus/core/session";
import { type TestProject, testProject } from "@photinus/core/testing";
import { webSocketConnector } from "@photinus/node-platform";
import { type EmbeddedStorage, type HostAddress, openStorage, PhotinusServer } from "@photinus/node-server";
import { expect, onTestFinished, test } from "vitest";
import { clock, crypto, serverKit, temporaryFolder } from "./equipment/a-ground.ts";
import { RecordingLogger } from "./equipment/recording-logger.ts";

/** Two server processes' worth of gateways: a server object, sockets and sessions each, over one storage. */
interface Gateways {
  readonly project: TestProject;
  readonly storage: EmbeddedStorage;
  readonly first: PhotinusServer;
  readonly addresses: readonly HostAddress[];
}

async function twoGateways(): Promise<Gateways> {
  const project = await testProject({ crypto, clock });
  const storage = await openStorage({ folder: join(await temporaryFolder(), "state") }, { crypto });
  onTestFinished(() => storage.close());
  const kit = serverKit(project);
  const servers = [0, 1].map(
    () =>
      new PhotinusServer(
        { kit, port: 0, drainMs: 200, limits: { upgradesPerMinute: 1_000 } },
        { storage, clock, crypto, logger: new RecordingLogger() },
      ),
  );
  const [first] = servers;
  if (first === undefined) throw new RangeError("no server");
  const addresses = await Promise.all(servers.map((server) => server.start()));
  onTestFinished(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });
  return { project, storage, first, addresses };
}

/** Enrols at one of them with a fresh key. */
async function enrolAt({ project }: Gateways, address: HostAddress, inviteCode: Uint8Array<ArrayBuffer>) {
  const signingKey = await crypto.generateSigningKey(1);
  const request = await createCertificateRequest({ commonName: "guest" }, signingKey, { crypto });
  const connection = await webSocketConnector({ url: address.socketUrl }).connect(
    new AbortController().signal,
  );
  return await enrolOverSession(
    connection,
    {
      ...{ project: project.project, serverName: "hub", inviteCode, request, signingKey },
      rootFingerprint: project.root.certificate.digest,
    },
    { clock, crypto },
  );
}

test.each([1, 3])(
  "an invite for %i is redeemed so often and no more, at whichever of two gateways",
  async (uses) => {
    const gateways = await twoGateways();
    const expiresAtMs = clock.now() + 3_600_000;
    const fragment = await gateways.first.invite({ org: "example", uses, expiresAtMs });
    const { code } = parseJoinFragment(fragment);

    const attempts = Array.from({ length: 4 }, () => gateways.addresses).flat();
    const outcomes = await Promise.allSettled(attempts.map((address) => enrolAt(gateways, address, code)));

    const enrolled = outcomes.filter(({ status }) => status === "fulfilled");
    expect(enrolled).toHaveLength(uses);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "ERR_INVITE_REFUSED" });
    }
    const accepted: string[] = [];
    for await (const { event } of gateways.storage.audit.read()) {
      if (event.action === "enrol" && event.outcome === "accepted") accepted.push(event.object);
    }
    expect(new Set(accepted).size).toBe(uses); // each with a name of its own
  },
);

/** A site logs in at one of them. */
async function logInAt({ project }: Gateways, { socketUrl }: HostAddress): Promise<Session> {
  const [identity] = project.sites.values();
  if (identity === undefined) throw new RangeError("no site");
  const connection = await webSocketConnector({ url: socketUrl }).connect(new AbortController().signal);
  const root = project.root.certificate.der;
  const options = { identity, project: project.project, root, serverName: "hub" };
  const session = await connectSession(connection, options, { clock, crypto });
  session.receive({ routes: [] });
  return session;
}

test("a certificate that logs in at the other gateway has one live session: the older one is told", async () => {
  const gateways = await twoGateways();
  const [first, second] = gateways.addresses;
  if (first === undefined || second === undefined) throw new RangeError("no address");
  const older = await logInAt(gateways, first);
  const newer = await logInAt(gateways, second);

  expect(await older.ended).toMatchObject({ code: "ERR_SUPERSEDED", local: false });
  const newest = await logInAt(gateways, first);
  expect(await newer.ended).toMatchObject({ code: "ERR_SUPERSEDED", local: false });
  expect(newest.signal.aborted).toBe(false);
});
