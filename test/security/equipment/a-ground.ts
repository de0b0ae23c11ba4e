import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifyChain } from "@photinus/core/audit";
import { connect, type Federation, type JobHandle } from "@photinus/core/console";
import { publicPrivacy } from "@photinus/core/filter";
import type { JobBundle, JobDefinition } from "@photinus/core/job";
import type { JobView } from "@photinus/core/message";
import type { Identity } from "@photinus/core/pki";
import type { AuditRecord, Connector } from "@photinus/core/platform";
import type { OpenedKit } from "@photinus/core/provision";
import { Site } from "@photinus/core/site";
import { type TestProject, testProject } from "@photinus/core/testing";
import { startNodeTrainer } from "@photinus/node-client";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import {
  type EmbeddedStorage,
  type HostAddress,
  openStorage,
  PhotinusServer,
  type PhotinusServerOptions,
} from "@photinus/node-server";
import { expect, onTestFinished } from "vitest";
import { linearData, linearTrainer } from "../../../packages/core/test/coordinator/linear-trainer.ts";
import { Gate } from "./gate.ts";
import { aLinearJob } from "./linear-job.ts";
import { RecordingLogger } from "./recording-logger.ts";

export const clock = systemClock();
export const crypto = nodeCrypto();

/** A temporary folder, removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-security-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The server's kit of a project whose root the test holds as well. */
export function serverKit(project: TestProject): OpenedKit {
  const { enrolmentCa, root, server } = project;
  const subject = { project: project.project, role: "server" } as const;
  return {
    manifest: {
      ...{ version: 1, ...subject, participant: "hub", kitId: "0".repeat(32) },
      ...{ notBeforeMs: 0, notAfterMs: Number.MAX_SAFE_INTEGER, files: [] },
    },
    configuration: {
      ...{ version: 1, ...subject, name: "hub", org: "example", security: "clear" },
      server: { name: "hub", addresses: ["ws://127.0.0.1:1/ws"] },
    },
    root: root.certificate,
    identity: server,
    enrolment: { certificate: enrolmentCa.certificate, key: enrolmentCa.key },
    ownKeys: [],
    machines: new Map([...project.sites.keys()].map((name) => [name, { name, role: "site" }])),
    tlsAuthorities: [],
    storageKey: crypto.randomBytes(32),
    revocationList: project.revocations.ofRoot?.der,
  };
}

/** Options of {@link Ground.open}. */
export interface GroundOptions {
  /** Of the server, in place of the defaults. */
  readonly server?: Partial<PhotinusServerOptions>;
  /** Sites with certificates; the first ones are honest. Default: one honest site and `mallory`. */
  readonly sites?: readonly string[];
}

/** A real server on a loopback port with storage on disk, an honest site, and room for somebody who is not. */
export class Ground {
  readonly project: TestProject;
  readonly server: PhotinusServer;
  readonly address: HostAddress;
  readonly storage: EmbeddedStorage;
  readonly log: RecordingLogger;
  /** Holds the honest site before each training until it is opened. */
  readonly gate = new Gate();

  private constructor(parts: Pick<Ground, "project" | "server" | "address" | "storage" | "log">) {
    this.project = parts.project;
    this.server = parts.server;
    this.address = parts.address;
    this.storage = parts.storage;
    this.log = parts.log;
  }

  /** Everything stops when the test ends. */
  static async open({ server: options = {}, sites }: GroundOptions = {}): Promise<Ground> {
    const project = await testProject({ crypto, clock, sites: sites ?? ["honest", "mallory"] });
    const storage = await openStorage({ folder: join(await temporaryFolder(), "state") }, { crypto });
    const log = new RecordingLogger();
    const server = new PhotinusServer(
      { kit: serverKit(project), port: 0, drainMs: 200, ...options },
      { storage, clock, crypto, logger: log },
    );
    const address = await server.start();
    onTestFinished(async () => {
      await server.stop();
      await storage.close();
    });
    return new Ground({ project, server, address, storage, log });
  }

  /** Opens real sockets to the server. */
  get connector(): Connector {
    return webSocketConnector({ url: this.address.socketUrl });
  }

  /** What everybody who connects is told. */
  get common(): {
    readonly project: string;
    readonly root: TestProject["root"]["certificate"]["der"];
    readonly serverName: "hub";
  } {
    return { project: this.project.project, root: this.project.root.certificate.der, serverName: "hub" };
  }

  /** The identity of a site of the project. */
  siteIdentity(name: string): Identity {
    const identity = this.project.sites.get(name);
    if (identity === undefined) throw new RangeError(`no site ${name}`);
    return identity;
  }

  /** Starts an honest site that trains a linear model when the gate lets it. */
  startHonestSite(name = "honest"): Site {
    const site = new Site(
      {
        ...this.common,
        identity: this.siteIdentity(name),
        dataNames: ["line"],
        runtime: "node",
        reconnect: { firstMs: 10 },
      },
      {
        ...{ connector: this.connector, clock, crypto, logger: this.log },
        random: { bytes: (length) => crypto.randomBytes(length) },
        privacy: publicPrivacy(),
        createTrainer: () => linearTrainer(linearData(name), { beforeTrain: () => this.gate.passed }),
        decideJob: async () => "accept",
      },
    );
    onTestFinished(() => site.stop());
    site.start();
    return site;
  }

  /** Starts a site of the project with the real trainer on the CPU, in a worker of its own. */
  startTrainingSite(name: string, dataFolder: string, dataName: string): Site {
    const site = new Site(
      {
        ...this.common,
        identity: this.siteIdentity(name),
        dataNames: [dataName],
        runtime: "node",
        reconnect: { firstMs: 10 },
      },
      {
        ...{ connector: this.connector, clock, crypto, logger: this.log },
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

  /** Connects as a user. */
  async connectUser(name = "lead@example.org"): Promise<Federation> {
    const identity = this.project.users.get(name);
    if (identity === undefined) throw new RangeError(`no user ${name}`);
    const user = await this.connectAs(identity);
    onTestFinished(() => user.close());
    return user;
  }

  /** Opens a console by a certificate. */
  async connectAs(identity: Identity): Promise<Federation> {
    const { project, root, serverName } = this.common;
    return await connect({
      kit: { identity, root: { der: root }, configuration: { project, server: { name: serverName } } },
      transport: { connector: this.connector, clock, crypto, logger: this.log },
    });
  }

  /** Submits the linear job. */
  async submit(
    workflow: Partial<JobDefinition["workflow"]> = {},
    bundle: (workflow: Partial<JobDefinition["workflow"]>) => JobBundle = aLinearJob,
  ): Promise<JobHandle> {
    const user = await this.connectUser();
    return await user.submit(bundle(workflow));
  }

  /** The job as the server shows it now. */
  async view(jobId: string): Promise<JobView> {
    const signal = new AbortController().signal;
    for await (const observation of this.server.coordinator.observe(jobId, { signal })) {
      if (observation.kind === "snapshot") return observation.job;
    }
    throw new RangeError("no snapshot");
  }

  /** Resolves once the view of the job is as asked. */
  async untilView(jobId: string, isSo: (view: JobView) => boolean): Promise<JobView> {
    const stop = new AbortController();
    try {
      for await (const _ of this.server.coordinator.observe(jobId, { signal: stop.signal })) {
        const view = await this.view(jobId);
        if (isSo(view)) return view;
      }
      throw new Error("the job ended before it was so");
    } finally {
      stop.abort();
    }
  }

  /** Every audit record; the chain is verified on the way. */
  async records(): Promise<readonly AuditRecord[]> {
    await verifyChain(crypto, this.storage.audit.read());
    const records: AuditRecord[] = [];
    for await (const record of this.storage.audit.read()) records.push(record);
    return records;
  }

  /** The events of one action, oldest first. */
  async events(action: string): Promise<readonly AuditRecord["event"][]> {
    return (await this.records()).map(({ event }) => event).filter((event) => event.action === action);
  }

  /**
   * Lets the honest sites work on and proves that nobody else was hurt: the job finishes, every round has the honest
   * site's contribution, the log of observations and the chain of audit records agree on it, and the chain verifies.
   */
  async survives(
    { jobId }: Pick<JobHandle, "jobId">,
    honest: readonly string[] = ["honest"],
  ): Promise<JobView> {
    this.gate.open();
    expect(await this.server.coordinator.waitForEnd(jobId, AbortSignal.timeout(15_000))).toBe("finished");
    const view = await this.view(jobId);
    expect(view.history.map(({ round }) => round)).toEqual(
      Array.from({ length: view.rounds }, (_, index) => index + 1),
    );
    for (const { contributions } of view.history) {
      const accepted = contributions.filter(({ outcome }) => outcome === "accepted").map(({ site }) => site);
      expect(accepted).toEqual(expect.arrayContaining([...honest]));
    }
    const rounds = (await this.events("round")).filter(({ correlation }) => correlation === jobId);
    expect(rounds).toHaveLength(view.rounds);
    return view;
  }
}

/** A ground whose honest site is in the middle of the first round of a job, held there by the gate. */
export async function atWork(
  options: GroundOptions = {},
): Promise<{ readonly ground: Ground; readonly job: JobHandle }> {
  const ground = await Ground.open(options);
  ground.startHonestSite();
  const job = await ground.submit();
  await ground.untilView(job.jobId, ({ history }) => history.length === 1);
  return { ground, job };
}
