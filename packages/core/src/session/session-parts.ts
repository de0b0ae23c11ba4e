import type { Bytes } from "../bytes/index.ts";
import type { ChainDirectory, ObjectReplayStore } from "../envelope/index.ts";
import type { Awaitable } from "../platform/index.ts";
import type { Checkpoints } from "./checkpoints.ts";
import type { AllModules, Established } from "./established.ts";
import type { HandlerLane } from "./handler-lane.ts";
import type { Outbox } from "./outbox.ts";
import type { ReadGate } from "./read-gate.ts";
import type { Session } from "./session.ts";
import type { StreamTable } from "./stream-table.ts";

/**
 * What the parts of a session see of it and of each other: one object that the session is itself, where a server would
 * otherwise hold a list of modules for each part of each of its thousands of sessions.
 */
export interface SessionParts {
  /** The session, as its handlers see it. */
  readonly session: Session;
  /** What the handshake yielded. */
  readonly established: Established;
  /** SHA-256 of the SubjectPublicKeyInfo of the server, whichever side this is. */
  serverKeyId(): Awaitable<Bytes>;
  /** Shared by all sessions of a process. */
  readonly modules: AllModules;
  /** Verified chains of signers, the peer's among them; made when it is asked for. */
  readonly chains: ChainDirectory;
  /** Objects that were handled; made when it is asked for. */
  readonly replay: ObjectReplayStore;
  /** What leaves. */
  readonly outbox: Outbox;
  /** Made when it is asked for: most sessions have no stream most of the time. */
  readonly streams: StreamTable;
  /** The handlers that wait. */
  readonly lane: HandlerLane;
  /** The signatures over MESSAGE frames. */
  readonly checkpoints: Checkpoints;
  /** What slows a peer down; made when it is asked for, and let go while its peer is idle. */
  readonly gate: ReadGate;
}
