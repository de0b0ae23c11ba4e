import { noMetrics, silentLogger } from "@photinus/core/platform";
import { buildJoinFragment, createInvite, redeemInvite } from "@photinus/core/provision";
import { acceptSession, type Session } from "@photinus/core/session";
import type { SiteStatus } from "@photinus/core/site";
import { memoryConnectionPair } from "@photinus/core/testing";
import type { TestFederation } from "../../../core/test/coordinator/a-federation.ts";
import {
  type LinearTrainerHooks,
  linearData,
  linearTrainer,
} from "../../../core/test/coordinator/linear-trainer.ts";
import type { IdentityStore } from "../../src/identity-store.ts";
import { SiteHost } from "../../src/site-host/index.ts";
import type { Proposal, SiteDataFiles, SiteNews } from "../../src/site-port/index.ts";
import { memoryIdentityStore } from "./memory-identity-store.ts";

/** Data that a page hands over; the linear trainer makes its own and looks at the name only. */
export const LINE: SiteDataFiles = {
  dataName: "line",
  trainingImages: new Uint8Array(1),
  trainingLabels: new Uint8Array(1),
};

/** A browser that was invited to a federation in memory. */
export class Guest {
  readonly federation: TestFederation;
  readonly store: IdentityStore;
  readonly news: SiteNews[] = [];
  readonly host: SiteHost;
  /** The server's side of the last session. */
  session: Session | undefined;
  /** Connections opened so far. */
  connections = 0;

  /** @param hooks change what its trainer does */
  constructor(
    federation: TestFederation,
    store: IdentityStore = memoryIdentityStore(),
    hooks: LinearTrainerHooks = {},
  ) {
    this.federation = federation;
    this.store = store;
    const { clock, crypto } = federation;
    this.host = new SiteHost({
      clock,
      crypto,
      logger: silentLogger,
      store,
      connector: { connect: async () => this.#connect() },
      trainers: {
        start: () => linearTrainer(linearData("guest"), hooks),
        check: async () => ({
          trials: [{ device: "wasm", stepsPerSecond: 10, threads: 1, detail: "" }],
          chosen: "wasm",
        }),
      },
      tell: (news) => this.news.push(news),
    });
  }

  /** The fragment of a fresh join link. */
  async invitation(uses = 1): Promise<string> {
    const { project, clock, crypto, metadata } = this.federation;
    const expiresAtMs = clock.now() + 3_600_000;
    const { code } = await createInvite({ org: "demo", uses, expiresAtMs }, { metadata, crypto, clock });
    return buildJoinFragment({
      project: project.project,
      serverName: "hub",
      rootFingerprint: project.root.certificate.digest,
      code,
    });
  }

  /** Opens the link, hands data over and connects. */
  async join(fragment: string): Promise<string> {
    const { open, useData, join } = this.host.handlers;
    await open({ fragment });
    await useData(LINE);
    const { siteName } = await this.federation.clock.runUntil(join(null));
    return siteName;
  }

  get proposals(): readonly Proposal[] {
    return this.news.flatMap((item) => (item.kind === "proposal" ? [item.proposal] : []));
  }

  get statuses(): readonly SiteStatus[] {
    return this.news.flatMap((item) => (item.kind === "status" ? [item.status] : []));
  }

  #connect(): ReturnType<typeof memoryConnectionPair>["client"] {
    this.connections++;
    const pair = memoryConnectionPair();
    const { coordinator, clock, crypto, metadata, project, root } = this.federation;
    const authority = { project: project.project, issuer: project.enrolmentCa };
    acceptSession(
      pair.server,
      {
        identity: project.server,
        project: project.project,
        root,
        revocations: project.revocations,
        enrolment: {
          redeem: (code, request) => redeemInvite({ code, request }, authority, { metadata, crypto, clock }),
        },
      },
      { clock, crypto, metrics: noMetrics },
    )
      .then((session) => {
        this.session = session;
        return session.scope === "full" ? coordinator.admit(session) : undefined;
      })
      .catch(() => undefined); // the client's side tells
    return pair.client;
  }
}
