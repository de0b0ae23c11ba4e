import { type Bytes, toHex } from "../../packages/core/src/bytes/index.ts";
import { builtInRegistry, encode } from "../../packages/core/src/decomposer/index.ts";
import type { MessageDefinition } from "../../packages/core/src/message/index.ts";
import {
  enrolled,
  heartbeat,
  loginChallenge,
  revocationList,
  signerChain,
  tokens,
} from "../../packages/core/src/session/control-messages.ts";
import { resume, resumed, streamResumed } from "../../packages/core/src/session/resume.ts";
import { SAMPLES } from "../../packages/core/test/message/samples.ts";

const fill = (length: number, value: number): Bytes => new Uint8Array(length).fill(value);

type Sample = readonly [MessageDefinition<unknown>, unknown];

const pair = <Body>(definition: MessageDefinition<Body>, body: Body): Sample => [definition, body];

const OF_SESSIONS: readonly Sample[] = [
  pair(heartbeat, {}),
  pair(tokens, { client: fill(40, 1), server: fill(40, 2), returnMs: 4000 }),
  pair(signerChain, { chain: [fill(300, 0x30)] }),
  pair(enrolled, { chain: [fill(300, 0x30), fill(200, 0x31)] }),
  pair(revocationList, { list: fill(200, 0x32), issuer: fill(300, 0x30) }),
  pair(loginChallenge, { challenge: fill(32, 0x33) }),
  pair(resume, { acknowledged: [] }),
  pair(resume, { session: fill(32, 0x51), acknowledged: [fill(16, 8), fill(16, 9)] }),
  pair(resume, {
    session: fill(32, 0x51),
    acknowledged: [],
    blobs: [{ root: fill(32, 0x52), received: Uint8Array.of(0b10110, 1) }],
  }),
  pair(resumed, {
    isResumed: true,
    acknowledged: [fill(16, 3)],
    streams: [{ streamId: fill(16, 6), chunks: 2 }],
  }),
  pair(streamResumed, { streamId: fill(16, 6), received: Uint8Array.of(0b101, 1) }),
];

/** A body of every message. */
export function messageVectors(): object {
  const registry = builtInRegistry();
  return {
    about:
      "A body of every message, by type and name: what a MESSAGE or SIGNED frame carries as payload. Certificates, lists and tokens are fillings here.",
    messages: [...OF_SESSIONS, ...SAMPLES].map(([definition, body]) => ({
      type: definition.type,
      name: definition.name,
      travels: definition.signed ? "SIGNED" : "MESSAGE",
      from: definition.from,
      bytes: toHex(encode(body, registry)),
    })),
  };
}
