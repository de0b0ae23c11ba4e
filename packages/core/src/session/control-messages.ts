import * as v from "valibot";
import type { Bytes } from "../bytes/index.ts";
import { MAX_RETRY_MS } from "../envelope/index.ts";
import { defineMessage, type MessageDefinition, USER_ROLES } from "../message/index.ts";
import { MAX_REVOCATION_LIST_BYTES, type Role } from "../pki/index.ts";

// Type ids 1 to 19 belong to this layer. 1 heartbeat, 2 tokens, 3 signer chain, 4 enrolled, 5 revocation list; never reused.
// So do 80 to 84: 80 challenge.

const EVERYBODY: readonly Role[] = ["server", "site", "adapter", ...USER_ROLES];
const MAX_CERTIFICATES = 4;

const bytesUpTo = (most: number): v.GenericSchema<unknown, Bytes> =>
  v.custom<Bytes>(
    (value) => value instanceof Uint8Array && value.buffer instanceof ArrayBuffer && value.byteLength <= most,
    `at most ${most} bytes`,
  );

/** Body of {@link heartbeat}: nothing. */
export type Heartbeat = Readonly<Record<never, never>>;

/** "I am here": from a side that has sent nothing for a while. */
export const heartbeat: MessageDefinition<Heartbeat> = defineMessage(
  { type: 1, name: "heartbeat", signed: false, from: EVERYBODY },
  v.strictObject({}),
);

/** Body of {@link tokens}. */
export interface TokensBody {
  /** The client's next token. */
  readonly client: Bytes;
  /** The server's next token. */
  readonly server: Bytes;
  /** Time over which clients spread when they lose the server, ms, as it is now; at most an hour. */
  readonly returnMs: number;
}

/** The server renews the tokens of the session; the signatures are in the tokens. */
export const tokens: MessageDefinition<TokensBody> = defineMessage(
  { type: 2, name: "tokens", signed: false, from: ["server"] },
  v.strictObject({
    client: bytesUpTo(8192),
    server: bytesUpTo(8192),
    returnMs: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(MAX_RETRY_MS)),
  }),
);

/** Body of {@link signerChain} and {@link enrolled}. */
export interface ChainBody {
  /** Certificates in DER, leaf first, without the root. */
  readonly chain: readonly Bytes[];
}

const chainBody: v.GenericSchema<unknown, ChainBody> = v.strictObject({
  chain: v.pipe(v.array(bytesUpTo(8192)), v.minLength(1), v.maxLength(MAX_CERTIFICATES)),
});

/** The chain of somebody whose OBJECT follows; once in a session. */
export const signerChain: MessageDefinition<ChainBody> = defineMessage(
  { type: 3, name: "signer-chain", signed: false, from: EVERYBODY },
  chainBody,
);

/** The certificate that an enrolment yields. */
export const enrolled: MessageDefinition<ChainBody> = defineMessage(
  { type: 4, name: "enrolled", signed: false, from: ["server"] },
  chainBody,
);

/** Body of {@link loginChallenge}. */
export interface LoginChallengeBody {
  /** 32 bytes, good for ten minutes and one login. */
  readonly challenge: Bytes;
}

/** What a credential has to be made for, where the server wants one beside the certificate. */
export const loginChallenge: MessageDefinition<LoginChallengeBody> = defineMessage(
  { type: 80, name: "login-challenge", signed: false, from: ["server"] },
  v.strictObject({
    challenge: v.pipe(
      bytesUpTo(32),
      v.check(({ byteLength }) => byteLength === 32, "32 bytes"),
    ),
  }),
);

/** Body of {@link revocationList}. */
export interface RevocationListBody {
  /** The list, DER. */
  readonly list: Bytes;
  /** Certificate of its issuer: the root or the enrolment CA, DER. */
  readonly issuer: Bytes;
}

/** The newest list of an issuer; it is signed by that CA, so it does not matter who brings it. */
export const revocationList: MessageDefinition<RevocationListBody> = defineMessage(
  { type: 5, name: "revocation-list", signed: false, from: ["server"] },
  v.strictObject({ list: bytesUpTo(MAX_REVOCATION_LIST_BYTES), issuer: bytesUpTo(8192) }),
);
