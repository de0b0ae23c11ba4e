import { PhotinusError, WireError } from "@photinus/core/errors";
import { networkOf } from "../http/client-address.ts";
import type { RefusalRecords } from "../server/refusal-records.ts";

/** Sign-ins that are being asked about at the provider at a time: each costs it and us a request. */
const MAX_UNDER_WAY = 16;
/** Of one network: a stranger who goes on asking keeps nobody else out. */
const MAX_OF_NETWORK = 4;

/** Lets through so many sign-ins at a time, and records those that fail. */
export class SignInGate {
  readonly #refusals: RefusalRecords;
  /** Networks of those under way, each as often as it has some. */
  readonly #underWay: string[] = [];

  constructor(refusals: RefusalRecords) {
    this.#refusals = refusals;
  }

  /**
   * @param address of whoever comes back, for the limit and the record of a refusal
   * @throws what `work` throws; WireError `ERR_BUSY`
   */
  async pass<Result>(address: string, work: () => Promise<Result>): Promise<Result> {
    const network = networkOf(address);
    const ofNetwork = this.#underWay.filter((each) => each === network).length;
    if (this.#underWay.length >= MAX_UNDER_WAY || ofNetwork >= MAX_OF_NETWORK) {
      throw new WireError("ERR_BUSY", "too many sign in at once");
    }
    this.#underWay.push(network);
    try {
      return await work();
    } catch (error) {
      const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
      await this.#refusals.note({ action: "sign-in", address, code });
      throw error;
    } finally {
      this.#underWay.splice(this.#underWay.indexOf(network), 1);
    }
  }
}
