import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { nodeCrypto } from "@photinus/node-platform";
import { type Bytes, concatBytes, fromHex } from "../../packages/core/src/bytes/index.ts";
import type {
  AgreementKey,
  CryptoProvider,
  SignatureAlgorithm,
  SigningKey,
} from "../../packages/core/src/platform/index.ts";
import { keyPairOf, P256, P384, type SigningCurve, signDeterministic } from "./deterministic-ecdsa.ts";

/** A provider of which every byte depends on its seed, and the keys that it has made. */
export interface FixedCrypto {
  readonly crypto: CryptoProvider;
  /** Private halves of the X25519 keys, in the order in which they were made. */
  readonly agreementKeys: readonly Bytes[];
  /** PKCS#8 of a signing key of this provider. */
  pkcs8Of(key: SigningKey): Bytes;
  /** Another provider that signs by the same keys: each side of a conversation has one, so that order does not matter. */
  fork(seed: string): FixedCrypto;
}

interface KnownKey {
  readonly curve: SigningCurve;
  readonly scalar: Bytes;
  readonly pkcs8: Bytes;
}

const X25519_PKCS8 = fromHex("302e020100300506032b656e04220420");

/** The real provider of Node with fixed randomness and the signatures of RFC 6979. For vectors only. */
export function fixedCrypto(seed: string): FixedCrypto {
  return over(seed, new Map());
}

function over(seed: string, known: Map<unknown, KnownKey>): FixedCrypto {
  const base = nodeCrypto();
  const randomBytes = fixedBytes(seed);
  const agreementKeys: Bytes[] = [];

  const generateSigningKey = async (algorithm: SignatureAlgorithm): Promise<SigningKey> => {
    if (algorithm === 2) throw new RangeError("vectors have no keys of RSA");
    const curve = algorithm === 1 ? P256 : P384;
    // The order begins with ones: the first byte 1 keeps the scalar below it.
    const scalar = concatBytes(Uint8Array.of(1), randomBytes(curve.size - 1));
    const { pkcs8, spki } = keyPairOf(curve, scalar);
    const key = await base.importSigningKey(pkcs8, spki, algorithm);
    known.set(key.handle, { curve, scalar, pkcs8 });
    return key;
  };
  const require = (key: SigningKey): KnownKey => {
    const found = known.get(key.handle);
    if (found === undefined) throw new RangeError("a key of another provider");
    return found;
  };
  const generateAgreementKey = async (): Promise<AgreementKey> => {
    const privateKey = randomBytes(32);
    agreementKeys.push(privateKey);
    return await base.importAgreementKey(privateKey, agreementPublicKey(privateKey));
  };
  const crypto: CryptoProvider = {
    ...base,
    randomBytes,
    generateSigningKey,
    generateAgreementKey,
    sign: (key, data) => {
      const { curve, scalar } = require(key);
      return signDeterministic(curve, scalar, data);
    },
  };
  return { crypto, agreementKeys, pkcs8Of: (key) => require(key).pkcs8, fork: (other) => over(other, known) };
}

/** SHA-256(seed ‖ n) for n from 0 on, cut into what is asked for. */
function fixedBytes(seed: string): (length: number) => Bytes {
  let counter = 0;
  return (length) => {
    const blocks = Array.from({ length: Math.ceil(length / 32) }, () =>
      createHash("sha256").update(`${seed} ${counter++}`).digest(),
    );
    return concatBytes(...blocks).slice(0, length);
  };
}

/** The public half of an X25519 key. */
export function agreementPublicKey(privateKey: Bytes): Bytes {
  const key = Buffer.from(concatBytes(X25519_PKCS8, privateKey));
  const spki = createPublicKey(createPrivateKey({ key, format: "der", type: "pkcs8" }));
  return new Uint8Array(spki.export({ format: "der", type: "spki" })).slice(-32);
}
