import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { toBytes } from "@photinus/core/bytes";
import { connect, type Federation } from "@photinus/core/console";
import { publicPrivacy } from "@photinus/core/filter";
import { silentLogger } from "@photinus/core/platform";
import { type OpenedKit, openKit, throwAwayProject } from "@photinus/core/provision";
import { Site } from "@photinus/core/site";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";
import {
  createRuntime,
  imageDataset,
  LocalTrainer,
  MNIST_PIXELS,
  partitionByLabel,
  type RuntimeChoice,
  readLabels,
  type SiteData,
} from "@photinus/training";
import * as onnx from "onnxruntime-node";

const MNIST = fileURLToPath(new URL("../../demos/mnist/", import.meta.url));

/** Shares that MNIST is cut into; each site has one, so that a round is short. */
const SHARES = 40;

/** A server, sites with label-skewed shares of MNIST and a user, in this process, over real sockets. */
export interface SkewedFederation {
  readonly user: Federation;
  stop(): Promise<void>;
}

/** How unequal the labels of the sites are. */
export interface Skew {
  readonly sites: readonly string[];
  /** Of the Dirichlet distribution over labels. */
  readonly concentration: number;
  readonly seed: number;
}

/** Starts everything; each site has the data set `mnist`. Training is in this thread: thirty jobs would start thirty workers a site. */
export async function startSkewed(skew: Skew): Promise<SkewedFederation> {
  const { sites } = skew;
  const runtimes = cpuRuntimes();
  const crypto = nodeCrypto();
  const clock = systemClock();
  const folder = await mkdtemp(join(tmpdir(), "photinus-bench-"));
  const project = await throwAwayProject({ sites: sites.length, port: 1 }, { crypto, clock });
  const kitOf = async (name: string): Promise<OpenedKit> => {
    const kit = project.kits.get(name);
    if (kit === undefined) throw new RangeError(`no kit for ${name}`);
    return await openKit(kit.files, { nowMs: Date.now(), secret: kit.secret }, { crypto });
  };
  const storage = await openStorage({ folder: join(folder, "state") }, { crypto });
  const modules = { clock, crypto, logger: silentLogger };
  const server = new PhotinusServer({ kit: await kitOf("hub"), port: 0 }, { storage, ...modules });
  const { socketUrl } = await server.start();
  const connector = webSocketConnector({ url: socketUrl });
  const running: Site[] = [];
  for (const [index, name] of sites.entries()) {
    const kit = await kitOf(name);
    const share = await shareOf(index, skew);
    const site = new Site(
      {
        ...{ identity: kit.identity, project: kit.configuration.project, root: kit.root.der },
        ...{ serverName: kit.configuration.server.name, dataNames: ["mnist"], runtime: "node" },
      },
      {
        ...{ connector, ...modules, privacy: publicPrivacy() },
        random: { bytes: (length) => crypto.randomBytes(length) },
        createTrainer: () => new LocalTrainer({ runtimes, data: async () => share, clock }),
        decideJob: async () => "accept",
      },
    );
    site.start();
    running.push(site);
  }
  const kit = await kitOf("demo@example.org");
  const user = await connect({ kit, transport: { connector, clock, crypto } });
  return {
    user,
    async stop() {
      await user.close();
      await Promise.all(running.map((site) => site.stop()));
      await server.stop();
      await storage.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function cpuRuntimes(): RuntimeChoice {
  const find = async () => createRuntime(onnx, { device: "cpu", threads: 1, writesInPlace: true });
  return { candidates: [{ device: "cpu", find }], take: "first" };
}

/** The share of MNIST that a site has, read once: jobs follow each other. */
async function shareOf(site: number, { concentration, seed }: Skew): Promise<SiteData> {
  const files = async (name: string) => ({
    images: toBytes(await readFile(`${MNIST}${name}-images-idx3-ubyte.gz`)),
    labels: toBytes(await readFile(`${MNIST}${name}-labels-idx1-ubyte.gz`)),
  });
  const [training, heldOut] = [await files("train"), await files("t10k")];
  const labelsOf = ({ labels }: typeof training, name: string) =>
    readLabels(labels, { name, classCount: MNIST_PIXELS.classCount });
  const labels = {
    training: await labelsOf(training, "training"),
    heldOut: await labelsOf(heldOut, "held-out"),
  };
  const options = { sites: SHARES, concentration, seed, minimumExamples: 10 };
  const indices = partitionByLabel(labels, options)[site];
  if (indices === undefined) throw new RangeError("no such share");
  return {
    training: await imageDataset(training, { ...MNIST_PIXELS, name: "training", indices: indices.training }),
    heldOut: await imageDataset(heldOut, { ...MNIST_PIXELS, name: "held-out", indices: indices.heldOut }),
  };
}
