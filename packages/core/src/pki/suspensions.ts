import { type Bytes, toHex } from "../bytes/index.ts";
import type { Clock } from "../platform/index.ts";
import type { Role } from "./participant.ts";

/** What an administrator has decided about one certificate; later ones take the place of earlier ones. */
export interface SuspensionDecision {
  /** SHA-256 of the certificate. */
  readonly leafDigest: Bytes;
  /** Name of its holder, as the administrator gave it. */
  readonly name: string;
  /** Organization of the holder. */
  readonly org: string;
  /** Role of the holder. */
  readonly role: Role;
  /** It counts no more, or counts again. */
  readonly kind: "suspend" | "resume";
  /** When it was signed, ms since 1970: of two decisions the later one holds. */
  readonly issuedAtMs: number;
  /** When it loses its effect, ms since 1970. */
  readonly untilMs: number;
  /** Why, for people. */
  readonly reason: string;
  /** Name of the administrator. */
  readonly by: string;
  /** The signed object, as others verify it. */
  readonly object: Bytes;
  /** Certificates of its signer, DER, leaf first, without the root. */
  readonly signerChain: readonly Bytes[];
}

/** Where suspensions are kept; all processes of a server share it. */
export interface SuspensionStore {
  /** Every decision that is kept; those that have lost their effect at `nowMs` may be forgotten. */
  load(nowMs: number): Promise<readonly SuspensionDecision[]>;
  /** Keeps a decision durably, unless a later one about the same certificate is there. */
  save(decision: SuspensionDecision): Promise<void>;
}

/** What {@link Suspensions} works with. */
export interface SuspensionsModules {
  /** The local time. */
  readonly clock: Pick<Clock, "now">;
  /** Without it they are forgotten with the process. */
  readonly store?: SuspensionStore;
}

/** Decisions that are held at once; only administrators make them. */
const MAX_DECISIONS = 10_000;

/**
 * Certificates that administrators have suspended. Of each the latest decision holds, so it does not matter in which
 * order they come, or how often: an older suspension that is played again after its end has no effect.
 */
export class Suspensions {
  readonly #modules: SuspensionsModules;
  readonly #decisions = new Map<string, SuspensionDecision>();
  readonly #listeners = new Set<(decision: SuspensionDecision) => void>();
  #epoch = 0;

  constructor(modules: SuspensionsModules) {
    this.#modules = modules;
  }

  /** Another number after each decision that was taken. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Decisions that have not lost their effect. */
  get held(): readonly SuspensionDecision[] {
    const nowMs = this.#modules.clock.now();
    return [...this.#decisions.values()].filter(({ untilMs }) => nowMs < untilMs);
  }

  /** The suspension of a certificate that holds now; `undefined` when there is none. */
  of(leafDigest: Bytes): SuspensionDecision | undefined {
    if (this.#decisions.size === 0) return undefined;
    const decision = this.#decisions.get(toHex(leafDigest));
    const holds = decision?.kind === "suspend" && this.#modules.clock.now() < decision.untilMs;
    return holds ? decision : undefined;
  }

  /**
   * Takes a decision whose signature was verified. It has its effect before this resolves and before it is stored.
   * @returns false when a later one holds, or this one does already
   * @throws StorageError when it could not be kept; it then holds for the life of this process
   */
  async take(decision: SuspensionDecision): Promise<boolean> {
    if (!this.#hold(decision)) return false;
    await this.#modules.store?.save(decision);
    return true;
  }

  /** Looks into the store: another process may have taken a decision. */
  async reload(): Promise<void> {
    for (const decision of await this.#stored()) this.#hold(decision);
  }

  /** Calls `listener` in the same turn in which a decision takes effect. @returns ends it */
  watch(listener: (decision: SuspensionDecision) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async #stored(): Promise<readonly SuspensionDecision[]> {
    const { store, clock } = this.#modules;
    return (await store?.load(clock.now())) ?? [];
  }

  #hold(decision: SuspensionDecision): boolean {
    const nowMs = this.#modules.clock.now();
    const name = toHex(decision.leafDigest);
    const before = this.#decisions.get(name);
    if (nowMs >= decision.untilMs || (before !== undefined && !isLater(decision, before))) return false;
    if (before === undefined) this.#makeRoom(nowMs);
    this.#decisions.set(name, decision);
    this.#epoch++;
    for (const listener of this.#listeners) listener(decision);
    return true;
  }

  #makeRoom(nowMs: number): void {
    if (this.#decisions.size < MAX_DECISIONS) return;
    for (const [name, { untilMs }] of this.#decisions) if (nowMs >= untilMs) this.#decisions.delete(name);
    if (this.#decisions.size >= MAX_DECISIONS) throw new RangeError(`${MAX_DECISIONS} suspensions at once`);
  }
}

/** Of two decisions of the same moment the suspension holds. */
export function isLater(decision: SuspensionDecision, before: SuspensionDecision): boolean {
  if (decision.issuedAtMs !== before.issuedAtMs) return decision.issuedAtMs > before.issuedAtMs;
  return decision.kind === "suspend" && before.kind === "resume";
}
