import * as v from "valibot";
import { type Bytes, equalBytes, toHex } from "../bytes/index.ts";
import { builtInRegistry, decode, encode } from "../decomposer/index.ts";
import { PhotinusError } from "../errors/index.ts";
import type { Bus, Clock, CryptoProvider, Logger } from "../platform/index.ts";
import type { Session } from "../session/index.ts";

/** A gateway that has lost touch for so long admits nobody, ms. */
const CUT_MS = 30_000;

/** Longest name of an owner. */
const MAX_OWNER = 256;

const bytesOf = (length: number): v.GenericSchema<unknown, Bytes> =>
  v.custom<Bytes>((value) => value instanceof Uint8Array && value.byteLength === length);
const NoticeSchema: v.GenericSchema<unknown, Notice> = v.strictObject({
  gateway: bytesOf(16),
  owner: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_OWNER)),
  session: bytesOf(32),
  sinceMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/** A session that a gateway has admitted: of two of one owner the one that began later lives. */
interface Notice {
  /** 16 random bytes of the process that tells it. */
  readonly gateway: Bytes;
  /** Who may have one session, and no other. */
  readonly owner: string;
  /** Id of the session. */
  readonly session: Bytes;
  /** When it was admitted, ms since 1970. */
  readonly sinceMs: number;
}

/** What a {@link SessionFence} works with. */
export interface SessionFenceModules {
  /** What gateways tell each other of these sessions goes under this name. */
  readonly subject: string;
  /** The other gateways. */
  readonly bus: Bus;
  /** Time. */
  readonly clock: Clock;
  /** Random bytes. */
  readonly crypto: Pick<CryptoProvider, "randomBytes">;
  /** Where log lines go. */
  readonly logger: Logger;
  /** Whose session it is: at most 256 characters. */
  readonly ownerOf: (session: Session) => string;
  /** The live session of an owner in this process. */
  readonly sessionOf: (owner: string) => Session | undefined;
  /** All of them. */
  readonly sessions: () => Iterable<Session>;
  /** Ends a session: a newer one of its owner is at another gateway. */
  readonly supersede: (session: Session) => void;
}

/**
 * One live session of each owner over all gateways: each tells the others whom it admitted, and who has an older
 * session of that owner ends it. A notice that an older gateway sends late is answered by the newer session, so
 * that of any two one ends, whatever the order in which their notices arrive.
 */
export class SessionFence {
  readonly #modules: SessionFenceModules;
  readonly #registry = builtInRegistry();
  readonly #gateway: Bytes;
  /** What every notice of this gateway has behind its first byte: its fields are in order of their names. */
  readonly #mark: Bytes;
  readonly #since = new WeakMap<Session, number>();
  #end: (() => void) | undefined;

  constructor(modules: SessionFenceModules) {
    this.#modules = modules;
    this.#gateway = modules.crypto.randomBytes(16);
    this.#mark = encode({ gateway: this.#gateway }, this.#registry).slice(1);
  }

  /** Begins to listen. */
  start(): void {
    this.#end ??= this.#modules.bus.subscribe(this.#modules.subject, {
      take: (notice) => this.#take(notice),
      restored: () => this.#tellAll(),
    });
  }

  /** Listens no more. Idempotent. */
  stop(): void {
    this.#end?.();
  }

  /** False while this gateway cannot know what the others do. */
  get mayAdmit(): boolean {
    const { bus, clock } = this.#modules;
    return bus.cutSinceMs === undefined || clock.now() - bus.cutSinceMs < CUT_MS;
  }

  /** A session was admitted. */
  admitted(session: Session): void {
    this.#since.set(session, Math.trunc(this.#modules.clock.now()));
    this.#tell(session);
  }

  #tell(session: Session): void {
    const sinceMs = this.#since.get(session);
    if (sinceMs === undefined) return;
    const { bus, subject, ownerOf } = this.#modules;
    const notice: Notice = {
      gateway: this.#gateway,
      owner: ownerOf(session),
      session: session.id,
      sinceMs,
    };
    bus.publish(subject, encode({ ...notice }, this.#registry));
  }

  #tellAll(): void {
    for (const session of this.#modules.sessions()) this.#tell(session);
  }

  #take(bytes: Bytes): void {
    // A bus brings its own notices back, one for each log-in: they are known before they are read.
    if (equalBytes(bytes.subarray(1, 1 + this.#mark.byteLength), this.#mark)) return;
    const notice = this.#read(bytes);
    if (notice === undefined) return;
    const own = this.#modules.sessionOf(notice.owner);
    const sinceMs = own && this.#since.get(own);
    if (own === undefined || sinceMs === undefined) return;
    // Of two that began in the same millisecond both sides choose the same.
    const isNewer =
      notice.sinceMs > sinceMs || (notice.sinceMs === sinceMs && toHex(notice.session) > toHex(own.id));
    if (isNewer) this.#modules.supersede(own);
    else this.#tell(own);
  }

  /** What is no notice has no effect: gateways of another version may be about. */
  #read(bytes: Bytes): Notice | undefined {
    try {
      return v.parse(NoticeSchema, decode(bytes, this.#registry));
    } catch (error) {
      if (!(error instanceof PhotinusError || error instanceof v.ValiError)) throw error;
      this.#modules.logger.warn("a notice of another gateway could not be read", { detail: error.message });
      return undefined;
    }
  }
}
