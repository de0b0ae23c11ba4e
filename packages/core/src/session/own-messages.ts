import type { Bytes } from "../bytes/index.ts";
import { verifyToken } from "../envelope/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { heartbeat, signerChain, type TokensBody, tokens } from "./control-messages.ts";
import type { Established } from "./established.ts";
import { streamResumed } from "./resume.ts";
import { type MessageRoute, on } from "./session.ts";
import type { StreamTable } from "./stream-table.ts";

/** What the messages of the session layer itself act on. */
export interface OwnMessagesModules {
  readonly crypto: CryptoProvider;
  readonly clock: Clock;
  readonly streams: StreamTable;
}

/**
 * Messages of the session layer itself; their effects come before the next frame is opened.
 * @param serverKeyId SHA-256 of the SubjectPublicKeyInfo of the server
 */
export function ownMessages(
  established: Established,
  serverKeyId: Bytes,
  modules: OwnMessagesModules,
): readonly MessageRoute[] {
  const { chains, direction } = established;
  return [
    on(heartbeat, () => undefined),
    on(streamResumed, (body) => modules.streams.takeResumed(body)),
    on(signerChain, async ({ chain }) => {
      await chains.add(chain, modules.clock.now());
    }),
    ...(direction === 0
      ? [on(tokens, (body) => takeTokens(body, { established, serverKeyId, modules }))]
      : []),
  ];
}

interface Taking {
  readonly established: Established;
  readonly serverKeyId: Bytes;
  readonly modules: OwnMessagesModules;
}

/** [W-18] also for the tokens that follow those of WELCOME. */
async function takeTokens(
  { client, server }: TokensBody,
  { established, serverKeyId, modules: { crypto, clock } }: Taking,
): Promise<void> {
  const { ownTokens, peerTokens, identity, peer, peerKey, sid, clockOffsetMs } = established;
  const nowMs = clock.now() + clockOffsetMs;
  const expected = { sid, nowMs, serverKey: peerKey, serverKeyId };
  ownTokens.add(await verifyToken(client, { ...expected, holder: identity.participant }, crypto));
  peerTokens.add(await verifyToken(server, { ...expected, holder: peer }, crypto));
}
