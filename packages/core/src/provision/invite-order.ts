import type { Bytes } from "../bytes/index.ts";
import { builtInRegistry, encode } from "../decomposer/index.ts";
import { MAX_COMMAND_LIFETIME_MS, sealObject } from "../envelope/index.ts";
import { type InviteOrder, OBJECT_TYPES } from "../message/index.ts";
import type { Identity, Participant } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { type InviteOptions, inviteCode, inviteTerms } from "./invite.ts";
import { buildJoinFragment } from "./join-link.ts";

/** An invite that the server has not taken yet. */
export interface SealedInvite {
  /** The order, for the server. */
  readonly object: Bytes;
  /** Fragment of the join link, without `#`: a secret, which only this side has seen. */
  readonly fragment: string;
  /** SHA-256 of its code: names the invite in lists. */
  readonly codeDigest: Bytes;
}

/** What {@link sealInvite} works with. */
export interface SealInviteModules {
  /** Who invites: this key signs the order. */
  readonly identity: Identity;
  /** Root of the project, DER. */
  readonly root: Bytes;
  /** The server that is to take it. */
  readonly server: Participant;
  /** Signs and seals. */
  readonly crypto: CryptoProvider;
  /** Time of the order. */
  readonly clock: Pick<Clock, "now">;
}

/**
 * Makes an invite and the order to the server. The code is made here: the server gets its digest, and sees the code when it
 * is used.
 * @throws RangeError for options that are out of range
 */
export async function sealInvite(
  options: InviteOptions,
  { identity, root, server, crypto, clock }: SealInviteModules,
): Promise<SealedInvite> {
  const { by: _by, isWithdrawn: _isWithdrawn, ...terms } = inviteTerms(options, clock.now());
  const { code, codeDigest } = await inviteCode({ crypto });
  const order: InviteOrder = { codeDigest, ...terms };
  const object = await sealObject(
    {
      objectType: OBJECT_TYPES.invite,
      audience: server.name,
      issuedAt: Math.trunc(clock.now()),
      lifetimeMs: MAX_COMMAND_LIFETIME_MS,
      payload: encode(order, builtInRegistry()),
    },
    { identity, crypto },
  );
  const rootFingerprint = await crypto.sha256(root);
  const { project, name: serverName } = server;
  return { object, codeDigest, fragment: buildJoinFragment({ project, serverName, rootFingerprint, code }) };
}
