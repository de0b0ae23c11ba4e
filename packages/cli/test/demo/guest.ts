import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publicPrivacy } from "@photinus/core/filter";
import { createCertificateRequest, loadIdentity } from "@photinus/core/pki";
import { silentLogger } from "@photinus/core/platform";
import { parseJoinFragment } from "@photinus/core/provision";
import { enrolOverSession } from "@photinus/core/session";
import { Site } from "@photinus/core/site";
import { startNodeTrainer } from "@photinus/node-client";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import { onTestFinished } from "vitest";
import { DATA_NAME, writeSiteData } from "../../src/demo/mnist-data.ts";

const MNIST = fileURLToPath(new URL("../../../../demos/mnist/", import.meta.url));

/** Joins by a link as a page does, but from this process, with a third of MNIST. */
export async function joinAsGuest(link: string): Promise<Site> {
  const url = new URL(link);
  const { project, serverName, rootFingerprint, code: inviteCode } = parseJoinFragment(url.hash);
  const [crypto, clock] = [nodeCrypto(), systemClock()];
  const connector = webSocketConnector({ url: `ws://${url.host}/ws` });
  const signingKey = await crypto.generateSigningKey(1);
  const request = await createCertificateRequest({ commonName: "browser" }, signingKey, { crypto });
  const { chain, root } = await enrolOverSession(
    await connector.connect(new AbortController().signal),
    { project, serverName, rootFingerprint, inviteCode, request, signingKey },
    { crypto, clock },
  );
  const whose = { root, project, roles: ["site"], nowMs: clock.now() } as const;
  const identity = await loadIdentity({ chain, signingKey }, whose, { crypto });
  const dataFolder = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(dataFolder, { recursive: true, force: true }));
  await mkdir(dataFolder, { recursive: true });
  await writeSiteData(dataFolder, MNIST, { site: 0, sites: 3, seed: 2 });
  const site = new Site(
    { identity, project, root, serverName, dataNames: [DATA_NAME], runtime: "browser" },
    {
      ...{ connector, crypto, clock, logger: silentLogger },
      random: { bytes: (length) => crypto.randomBytes(length) },
      privacy: publicPrivacy(),
      createTrainer: () => startNodeTrainer({ dataFolder, device: "cpu" }),
      decideJob: async () => "accept",
    },
  );
  onTestFinished(() => site.stop());
  site.start();
  return site;
}
