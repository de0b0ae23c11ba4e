import type { Identity } from "../pki/index.ts";
import { type CryptoProvider, webCrypto } from "../platform/index.ts";
import {
  type AcceptOptions,
  acceptSession,
  type ConnectOptions,
  connectSession,
  type Session,
  type SessionModules,
} from "../session/index.ts";
import {
  type MemoryConnectionOptions,
  type MemoryConnectionPair,
  memoryConnectionPair,
} from "./memory-transport.ts";
import { TEST_EPOCH_MS, type TestProject, testProject } from "./test-project.ts";
import { trackCrypto } from "./track-crypto.ts";
import { type VirtualClock, virtualClock } from "./virtual-clock.ts";

/** Options of {@link sessionPair}. */
export interface SessionPairOptions {
  /** Certificates; a fresh test project by default. Pass one to several pairs to save the time. */
  readonly project?: TestProject;
  /** Who connects; the first site of the project by default. */
  readonly identity?: Identity;
  /** Of the client, in place of the defaults. */
  readonly client?: Partial<ConnectOptions>;
  /** Of the server, in place of the defaults. */
  readonly server?: Partial<AcceptOptions>;
  /** Default: WebCrypto. */
  readonly crypto?: CryptoProvider;
  /** Default: a virtual clock that waits for `crypto`. */
  readonly clock?: VirtualClock;
  /** Modules of both sides beside crypto and clock. */
  readonly modules?: Partial<SessionModules>;
  /** How the connection behaves. */
  readonly transport?: MemoryConnectionOptions;
}

/** Two sessions that are each other's peer, over a connection in memory. */
export interface SessionPair {
  /** The client's end. */
  readonly client: Session;
  /** The server's end. */
  readonly server: Session;
  /** Certificates of both sides. */
  readonly project: TestProject;
  /** Time of both sides. */
  readonly clock: VirtualClock;
  /** Below the sessions: to cut, to inject, to look at what was sent. */
  readonly connections: MemoryConnectionPair;
}

/**
 * Two connected sessions with test identities.
 *
 * ```ts
 * const { client, server } = await sessionPair();
 * server.receive({ routes: [on(siteReady, (body) => …)] });
 * client.receive({ routes: [] });
 * await client.send(siteReady, body);
 * ```
 */
export async function sessionPair(options: SessionPairOptions = {}): Promise<SessionPair> {
  const parts = await sessionPairParts(options);
  const { connections, connecting, accepting, modules } = parts;
  const [client, server] = await Promise.all([
    connectSession(connections.client, connecting, modules),
    acceptSession(connections.server, accepting, modules),
  ]);
  return { client, server, project: parts.project, clock: parts.clock, connections };
}

/** What {@link sessionPair} puts together: for tests in which the handshake itself fails. */
export interface SessionPairParts {
  /** Certificates of both sides. */
  readonly project: TestProject;
  /** Time of both sides. */
  readonly clock: VirtualClock;
  /** The two ends in memory. */
  readonly connections: MemoryConnectionPair;
  /** What the client connects with. */
  readonly connecting: ConnectOptions;
  /** What the server accepts with. */
  readonly accepting: AcceptOptions;
  /** What sessions work with. */
  readonly modules: SessionModules;
}

/** Everything for two sessions but the handshake. */
export async function sessionPairParts(options: SessionPairOptions = {}): Promise<SessionPairParts> {
  const tracked = trackCrypto(options.crypto ?? webCrypto());
  const clock = options.clock ?? virtualClock({ startMs: TEST_EPOCH_MS, settle: tracked.settled });
  const project = options.project ?? (await testProject({ crypto: tracked.crypto, clock }));
  const [firstSite] = project.sites.values();
  const identity = options.identity ?? firstSite;
  if (identity === undefined) throw new RangeError("the project has no site");
  const common = { project: project.project, root: project.root.certificate.der };
  return {
    project,
    clock,
    connections: memoryConnectionPair(options.transport),
    connecting: { ...common, identity, serverName: project.server.participant.name, ...options.client },
    accepting: { ...common, identity: project.server, revocations: project.revocations, ...options.server },
    modules: { crypto: tracked.crypto, clock, ...options.modules },
  };
}
