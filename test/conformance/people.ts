import { type Holder, verifyChain } from "./certificate.ts";
import { Refused } from "./refused.ts";
import { hex, vectors } from "./vectors.ts";

/** A participant of the vectors. */
export interface Described {
  readonly name: string;
  readonly chain: readonly string[];
  readonly leafDigest: string;
  readonly privateKey: string;
}
interface People {
  readonly project: string;
  readonly nowMs: number;
  readonly root: string;
  readonly enrolmentCa: string;
  /** The site's certificate with the other s. */
  readonly secondFormOfSite: string;
  readonly server: Described;
  readonly site: Described;
  readonly enrolledSite: Described;
  readonly user: Described;
}
/** Who takes part. */
export const people = vectors<People>("participants");
/** What chains are verified against. */
export const trust = { project: people.project, root: hex(people.root), nowMs: people.nowMs };
/** Who a described participant is, by its chain. */
export const holderOf = ({ chain }: Described): Holder => verifyChain(chain.map(hex), trust);
export const server: Holder = holderOf(people.server);
export const site: Holder = holderOf(people.site);
export const enrolledSite: Holder = holderOf(people.enrolledSite);
export const user: Holder = holderOf(people.user);

/** The code of the refusal; `undefined` without one. */
export function codeOf(run: () => unknown): number | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error.code;
    throw error;
  }
}

/** What the vectors' sites take as a job: signed by a lead, 30 days. */
export const JOB = { objectType: 1, role: "lead", maximumLifetimeMs: 2_592_000_000 };
