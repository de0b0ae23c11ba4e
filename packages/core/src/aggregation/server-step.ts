import type { Bytes } from "../bytes/index.ts";
import type { Clock } from "../platform/index.ts";

/** What the server makes of the aggregate of a round, with a state from round to round. */
export interface ServerStep {
  /** Bytes of the state. */
  readonly stateBytes: number;
  /** The state before the first round: {@link stateBytes} of it. */
  readonly start: () => Bytes;
  /**
   * The aggregate becomes what is added to the model.
   * @param update the aggregate, packed by the layout of updates; changed in place
   * @param state changed in place
   */
  readonly apply: (update: Bytes, state: Bytes, round: AggregatedRound) => Promise<void>;
}

/** What a step may know of its round. */
export interface AggregatedRound {
  /** Gives other work its turns. */
  readonly clock: Clock;
  /** How many sites are in the aggregate. */
  readonly contributions: number;
}
