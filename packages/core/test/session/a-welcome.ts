import type { Bytes } from "../../src/bytes/index.ts";
import { type Welcome, writeWelcome } from "../../src/session/welcome.ts";
import { TEST_EPOCH_MS } from "../../src/testing/index.ts";

/** WELCOME as an honest server writes it, but without tokens, and with what the test changes. */
export function aWelcome(change: Partial<Welcome>): Bytes {
  return writeWelcome({
    clientToken: undefined,
    serverToken: undefined,
    revocationNumbers: [],
    policyEpoch: 0,
    limits: {
      frameBytes: 1_049_600,
      streamBytes: 1e9,
      heartbeatMs: 15_000,
      silenceMs: 45_000,
      returnMs: 0,
    },
    serverClockMs: TEST_EPOCH_MS,
    scope: "full",
    ...change,
  });
}
