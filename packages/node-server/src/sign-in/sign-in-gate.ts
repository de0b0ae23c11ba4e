import { PhotinusError, WireError } from "@photinus/core/errors";
import type { RefusalRecords } from "../server/refusal-records.ts";

/** Sign-ins that are being asked about at the provider at a time: each costs it and us a request. */
const MAX_UNDER_WAY = 8;

/** Lets through so many sign-ins at a time, and records those that fail. */
export class SignInGate {
  readonly #refusals: RefusalRecords;
  #underWay = 0;

  constructor(refusals: RefusalRecords) {
    this.#refusals = refusals;
  }

  /**
   * @param address of whoever comes back, for the record of a refusal
   * @throws what `work` throws; WireError `ERR_BUSY`
   */
  async pass<Result>(address: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#underWay >= MAX_UNDER_WAY) throw new WireError("ERR_BUSY", "too many sign in at once");
    this.#underWay += 1;
    try {
      return await work();
    } catch (error) {
      const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
      await this.#refusals.note({ action: "sign-in", address, code });
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }
}
