import { unpackBytes } from "../bytes/index.ts";
import { type Direction, verifyToken } from "../envelope/index.ts";
import type { MessageDefinition } from "../message/index.ts";
import type { Awaitable } from "../platform/index.ts";
import { requireServerNotRevoked } from "./client-handshake.ts";
import {
  heartbeat,
  type RevocationListBody,
  revocationList,
  signerChain,
  type TokensBody,
  tokens,
} from "./control-messages.ts";
import type { Established } from "./established.ts";
import { streamResumed } from "./resume.ts";
import type { SessionParts } from "./session-parts.ts";

/** What the messages of the session layer itself act on. */
export type OwnMessageContext = Pick<
  SessionParts,
  "established" | "serverKeyId" | "modules" | "streams" | "chains"
>;

/** A message kind of the session layer itself and what it does. */
export interface OwnRoute {
  readonly definition: MessageDefinition<unknown>;
  /** Microseconds of processor that it costs beside the price of its frame. */
  readonly workUs: number;
  /** Called with the body as it was decoded. */
  readonly act: (body: unknown, context: OwnMessageContext) => Awaitable<void>;
}

function own<Body>(
  definition: MessageDefinition<Body>,
  act: (body: Body, context: OwnMessageContext) => Awaitable<void>,
  workUs = 0,
): readonly [number, OwnRoute] {
  return [
    definition.type,
    { definition, workUs, act: (body, context) => act(definition.parse(body), context) },
  ];
}

/** Certificates that are parsed and up to three signatures: a chain that does not verify is looked at each time it comes. */
const CHAIN_US = 600;

const AT_SERVER: ReadonlyMap<number, OwnRoute> = new Map([
  own(heartbeat, () => undefined),
  own(streamResumed, (body, { streams }) => streams.takeResumed(body)),
  own(
    signerChain,
    async ({ chain }, { chains, modules }) => {
      await chains.add(chain, modules.clock.now());
    },
    CHAIN_US,
  ),
]);

const AT_CLIENT: ReadonlyMap<number, OwnRoute> = new Map([
  ...AT_SERVER,
  own(tokens, takeTokens),
  own(revocationList, (body, { established }) => takeRevocations(body, established)),
]);

/**
 * Messages of the session layer itself; their effects come before the next frame is opened.
 * @param direction in which this side sends
 */
export function ownMessages(direction: Direction): ReadonlyMap<number, OwnRoute> {
  return direction === 0 ? AT_CLIENT : AT_SERVER;
}

/** [W-18] also for the tokens that follow those of WELCOME. */
async function takeTokens(
  { client, server, returnMs }: TokensBody,
  context: OwnMessageContext,
): Promise<void> {
  const { established, modules } = context;
  const { crypto, clock } = modules;
  const { ownTokens, peerTokens, identity, peer, peerKey, packedSid, clockOffsetMs, spread } = established;
  const nowMs = clock.now() + clockOffsetMs;
  const serverKeyId = await context.serverKeyId();
  const expected = { sid: unpackBytes(packedSid), nowMs, serverKey: peerKey, serverKeyId };
  ownTokens.add(await verifyToken(client, { ...expected, holder: identity.participant }, crypto));
  peerTokens.add(await verifyToken(server, { ...expected, holder: peer }, crypto));
  spread.returnMs = returnMs;
}

/** [W-113] who brings a list does not matter, who signed it does. */
async function takeRevocations(
  offered: RevocationListBody,
  { revocations, peer }: Established,
): Promise<void> {
  await revocations.take(offered);
  requireServerNotRevoked(peer, revocations);
}
