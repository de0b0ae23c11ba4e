import {
  type Coordinator,
  type JobSummary,
  type JobUser,
  orderReplayStore,
} from "@photinus/core/coordinator";
import { type LastingObjects, memoryReplayStore, type ObjectReplayStore } from "@photinus/core/envelope";
import { PhotinusError } from "@photinus/core/errors";
import type { Observation } from "@photinus/core/message";
import type { Connection, Logger } from "@photinus/core/platform";
import { type AcceptOptions, acceptSession, type Session, type SessionModules } from "@photinus/core/session";
import type {
  AcceptedConnection,
  Federation,
  PublishedBlob,
  TransportPeer,
  WatchOptions,
} from "../http/federation.ts";
import { actorOf } from "../sign-in/sign-in.ts";
import type { SignedInUser } from "../sign-in/user-sessions.ts";
import type { RefusalRecords } from "./refusal-records.ts";
import type { StormAftermath } from "./storm-aftermath.ts";
import { requireTlsPeer } from "./tls-admission.ts";

/** Options of {@link serverFederation}. */
export interface ServerFederationOptions {
  /** What the next session is accepted with. */
  readonly accept: () => AcceptOptions;
}

/** What {@link serverFederation} works with. */
export interface ServerFederationModules {
  readonly coordinator: Coordinator;
  readonly session: SessionModules;
  /** Orders of administrators that had their effect, in whatever process. */
  readonly orders: LastingObjects;
  /** Where refused logins are taken down. */
  readonly refusals: RefusalRecords;
  /** Told of each session that was admitted. */
  readonly aftermath: StormAftermath;
  readonly logger: Logger;
}

/** The coordinator as the HTTP host sees it: connections become sessions here. */
export function serverFederation(
  options: ServerFederationOptions,
  modules: ServerFederationModules,
): Federation {
  return new CoordinatorFederation(options, modules);
}

function jobUserOf(user: SignedInUser): JobUser {
  return { actor: user, recordedAs: actorOf(user) };
}

class CoordinatorFederation implements Federation {
  readonly #options: ServerFederationOptions;
  readonly #modules: ServerFederationModules;
  /** The same for all sessions. */
  readonly #session: SessionModules;
  #isDraining = false;

  constructor(options: ServerFederationOptions, modules: ServerFederationModules) {
    this.#options = options;
    this.#modules = modules;
    const { session, orders } = modules;
    const replayStore = (): ObjectReplayStore =>
      orderReplayStore(orders, memoryReplayStore({ clock: session.clock }));
    this.#session = { ...session, replayStore };
  }

  jobs(user?: SignedInUser): Promise<readonly JobSummary[]> {
    return this.#modules.coordinator.jobs(user && jobUserOf(user));
  }

  observe(jobId: string, { user, ...options }: WatchOptions): AsyncIterable<Observation> {
    const by = user === undefined ? {} : { by: jobUserOf(user) };
    return this.#modules.coordinator.observe(jobId, { ...options, ...by });
  }

  async publishedBlob(digest: string): Promise<PublishedBlob | undefined> {
    const blob = await this.#modules.coordinator.blob(digest);
    if (blob === undefined) return undefined;
    return { size: blob.ciphertextBytes, read: () => blob.read() };
  }

  abort(jobId: string, user: SignedInUser): Promise<void> {
    return this.#modules.coordinator.abort(jobId, jobUserOf(user));
  }

  accept(connection: Connection, peer: TransportPeer): AcceptedConnection {
    const accepting = this.#accept(connection, peer);
    // The host counts `authenticated`; what follows it is this object's own concern.
    this.#admit(accepting, connection).catch((error: unknown) => {
      this.#modules.logger.error("a session could not be admitted", error);
    });
    return { authenticated: accepting };
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    await this.#modules.coordinator.stop();
  }

  isReady(): boolean {
    return !this.#isDraining && this.#modules.coordinator.isAdmitting;
  }

  #accept(connection: Connection, peer: TransportPeer): Promise<Session> {
    const accept = this.#options.accept();
    const options: AcceptOptions = {
      ...accept,
      admit: async (admission) => {
        requireTlsPeer(admission.participant, peer);
        await accept.admit?.(admission);
      },
    };
    return acceptSession(connection, options, this.#session);
  }

  async #admit(accepting: Promise<Session>, { remoteAddress = "unknown" }: Connection): Promise<void> {
    const { coordinator, refusals, aftermath } = this.#modules;
    let session: Session;
    try {
      session = await accepting;
    } catch (error) {
      const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
      await refusals.note({ action: "login", address: remoteAddress, code });
      return;
    }
    if (session.scope !== "full") return;
    try {
      await coordinator.admit(session);
      aftermath.opened();
    } catch (error) {
      // A log-in that could not be recorded does not take effect.
      await session.close("ERR_INTERNAL", "the server could not admit this session");
      throw error;
    }
  }
}
