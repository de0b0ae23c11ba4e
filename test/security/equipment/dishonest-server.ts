import { auditLog } from "@photinus/core/audit";
import type { Bytes } from "@photinus/core/bytes";
import { toHex } from "@photinus/core/bytes";
import { builtInRegistry } from "@photinus/core/decomposer";
import { type JobFilters, publicPrivacy } from "@photinus/core/filter";
import { CheckpointStore, type SignedJob, signJob } from "@photinus/core/job";
import {
  type BlobReference,
  type ContributionBody,
  contribution,
  evaluationResult,
  jobAccept,
  jobDecline,
  jobGraph,
  jobReady,
  siteReady,
  type TaskFailed,
  task,
  taskFailed,
  taskProgress,
} from "@photinus/core/message";
import type { Identity } from "@photinus/core/pki";
import type { AuditStore } from "@photinus/core/platform";
import { acceptSession, on, type Session } from "@photinus/core/session";
import { Site, type SiteModules, type Trainer } from "@photinus/core/site";
import type { TensorEntry, TensorLayout } from "@photinus/core/tensor";
import {
  memoryAudit,
  memoryBlobs,
  memoryMetadata,
  type TestProject,
  testProject,
} from "@photinus/core/testing";
import { SUBPROTOCOL, webSocketConnection, webSocketConnector } from "@photinus/node-platform";
import { onTestFinished } from "vitest";
import { WebSocketServer } from "ws";
import { publish } from "../../../packages/core/src/coordinator/publisher.ts";
import { linearData, linearTrainer } from "../../../packages/core/test/coordinator/linear-trainer.ts";
import { clock, crypto } from "./a-ground.ts";
import { aLinearJob, UPDATE_LAYOUT } from "./linear-job.ts";
import { Mailbox } from "./mailbox.ts";
import { RecordingLogger } from "./recording-logger.ts";

/** What the organization of the site decides itself. */
type SitePolicies = Partial<Pick<SiteModules, "policy" | "privacy">>;

/** A server with the project's own certificate that does what the test wants, and an honest site at the other end. */
export class DishonestServer {
  readonly project: TestProject;
  readonly log = new RecordingLogger();
  /** Calls of the site's trainer. */
  readonly trained: string[] = [];
  readonly accepted = new Mailbox<string>();
  readonly declined = new Mailbox<string>();
  readonly ready = new Mailbox<string>();
  readonly failed = new Mailbox<TaskFailed>();
  readonly contributions = new Mailbox<ContributionBody>();
  /** ERROR frames in reply to what the server sent. */
  readonly refusals = new Mailbox<string>();
  readonly evaluations = new Mailbox<string>();
  readonly sessions = new Mailbox<Session>();
  /** What the site has recorded. */
  readonly audit: AuditStore;
  session: Session | undefined;

  readonly #policies: SitePolicies;

  private constructor(project: TestProject, policies: SitePolicies) {
    this.project = project;
    this.#policies = policies;
    this.audit = memoryAudit(crypto);
  }

  /** Waits until the site has announced itself. @param policies of the site; default: the default ones */
  static async open(policies: SitePolicies = {}): Promise<DishonestServer> {
    const project = await testProject({ crypto, clock, sites: ["honest"] });
    const server = new DishonestServer(project, policies);
    const sockets = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => SUBPROTOCOL });
    onTestFinished(() => {
      sockets.close();
    });
    sockets.on("connection", (socket) => {
      const options = {
        identity: project.server,
        project: project.project,
        root: project.root.certificate.der,
        revocations: project.revocations,
      };
      acceptSession(webSocketConnection(socket), options, { clock, crypto })
        .then((session) => server.#receive(session))
        .catch(() => undefined); // the site's log tells
    });
    await new Promise((resolve) => sockets.once("listening", resolve));
    const address = sockets.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    server.#startSite(`ws://127.0.0.1:${address.port}/ws`);
    server.session = await server.sessions.next();
    return server;
  }

  #startSite(url: string): void {
    const [identity] = this.project.sites.values();
    if (identity === undefined) throw new RangeError("no site");
    const site = new Site(
      {
        ...{ identity, project: this.project.project, root: this.project.root.certificate.der },
        ...{ serverName: "hub", dataNames: ["line"], runtime: "node", reconnect: { firstMs: 10 } },
      },
      {
        ...{ connector: webSocketConnector({ url }), clock, crypto, logger: this.log },
        random: { bytes: (length) => crypto.randomBytes(length) },
        privacy: publicPrivacy(),
        ...this.#policies,
        createTrainer: () => this.#trainer(),
        decideJob: async () => "accept",
        audit: auditLog(this.audit, clock),
      },
    );
    onTestFinished(() => site.stop());
    site.start();
  }

  #trainer(): Trainer {
    const trainer = linearTrainer(linearData("honest"));
    return {
      ...trainer,
      prepare: (job, options) => {
        this.trained.push("prepare");
        return trainer.prepare(job, options);
      },
      train: (request, options) => {
        this.trained.push("train");
        return trainer.train(request, options);
      },
    };
  }

  #receive(session: Session): void {
    session.receive({
      onObject: () => undefined, // the head of the site's audit chain
      // A code that has no number on the wire stands in the text.
      onRefused: ({ code, detail }) => this.refusals.put(code === "ERR_INTERNAL" ? detail : code),
      routes: [
        on(siteReady, () => this.sessions.put(session)),
        on(jobAccept, ({ jobId }) => this.accepted.put(jobId)),
        on(jobDecline, ({ reason }) => this.declined.put(reason)),
        on(jobReady, ({ jobId }) => this.ready.put(jobId)),
        on(taskProgress, () => undefined),
        on(taskFailed, (body) => this.failed.put(body)),
        on(contribution, (body) => this.contributions.put(body)),
        on(evaluationResult, ({ taskId }) => this.evaluations.put(taskId)),
      ],
    });
  }

  get #live(): Session {
    if (this.session === undefined) throw new RangeError("no site is connected");
    return this.session;
  }

  /** The job that the lead signed: two rounds. */
  async aJob(identity?: Identity, filters?: JobFilters): Promise<SignedJob> {
    const [lead] = this.project.users.values();
    const signer = identity ?? lead;
    if (signer === undefined) throw new RangeError("no lead");
    const bundle = aLinearJob();
    const definition = { ...bundle.definition, ...(filters === undefined ? {} : { filters }) };
    return await signJob({ ...bundle, definition }, { identity: signer, crypto, clock });
  }

  /** Offers a job to the site. */
  async offer(job: SignedJob, signer?: Identity): Promise<void> {
    const [lead] = this.project.users.values();
    await this.#live.sendObject(job.object, (signer ?? lead)?.participant.chain ?? []);
  }

  /** Sends any object behind the chain that is said to be its signer's. */
  async send(object: Bytes, signer: Identity): Promise<void> {
    await this.#live.sendObject(object, signer.participant.chain);
  }

  /** What the site recorded about jobs. */
  async recorded(): Promise<readonly string[]> {
    const records: string[] = [];
    for await (const { event } of this.audit.read()) {
      const { action, outcome, reason, actor } = event;
      if (action !== "job") continue;
      records.push(`${outcome} ${reason} ${actor.split(" ").at(-1)}`);
    }
    return records;
  }

  /** Publishes bytes for a job and sends them. */
  async publish(
    jobId: string,
    kind: "graph" | "model",
    bytes: Bytes,
    tensors: readonly TensorEntry[] = kind === "model" ? UPDATE_LAYOUT.tensors : [],
  ): Promise<BlobReference> {
    const { project } = this.project;
    const storage = { crypto, blobs: memoryBlobs(crypto), metadata: memoryMetadata() };
    const store = new CheckpointStore(new Uint8Array(32), storage);
    const blob = await store.published(await store.putPublished(bytes, { project, chunkBytes: 65_536 }));
    const published = await publish(
      { jobId, kind, version: 0, blob, tensors },
      { ownIdentity: () => this.project.server },
      { clock, crypto, registry: builtInRegistry() },
    );
    await this.#live.sendObject(published.object, this.project.server.participant.chain);
    await this.#live.sendBlob({ frames: published.blob.frames() });
    return published.reference;
  }

  /** Tells where the graph is. */
  async giveGraph(jobId: string, graph: BlobReference): Promise<void> {
    await this.#live.send(jobGraph, { jobId, graph }, { scope: jobId });
  }

  /** Gives a task to train. @param layout of the model that is sent with it @returns its id */
  async giveTask(jobId: string, round: number, layout: TensorLayout = UPDATE_LAYOUT): Promise<string> {
    const bytes = new Uint8Array(layout.byteLength);
    const model = await this.publish(jobId, "model", bytes, layout.tensors);
    const taskId = toHex(crypto.randomBytes(16));
    const body = {
      jobId,
      taskId,
      kind: "train",
      round,
      version: round - 1,
      model,
      timeoutMs: 10_000,
    } as const;
    await this.#live.send(task, body, { scope: jobId });
    return taskId;
  }
}
