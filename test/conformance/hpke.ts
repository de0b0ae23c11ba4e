import type { KeyObject } from "node:crypto";
import { agree, hmac, open, publicBytes } from "./primitives.ts";

// HPKE (RFC 9180) in base mode, one message: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.

const EMPTY = Buffer.alloc(0);
const KEM_SUITE = Buffer.concat([Buffer.from("KEM"), Buffer.of(0, 0x20)]);
const SUITE = Buffer.concat([Buffer.from("HPKE"), Buffer.of(0, 0x20, 0, 1, 0, 2)]);

/** LabeledExtract, section 4. */
const extract = (suite: Buffer, salt: Buffer, label: string, input: Buffer): Buffer =>
  hmac(
    salt.length === 0 ? Buffer.alloc(32) : salt,
    Buffer.concat([Buffer.from("HPKE-v1"), suite, Buffer.from(label), input]),
  );

/** LabeledExpand, section 4; one block is enough. */
function expand(
  suite: Buffer,
  secret: Buffer,
  { label, info, length }: { label: string; info: Buffer; length: number },
): Buffer {
  const head = Buffer.concat([Buffer.of(0, length), Buffer.from("HPKE-v1"), suite, Buffer.from(label)]);
  return hmac(secret, Buffer.concat([head, info, Buffer.of(1)])).subarray(0, length);
}

/** The plaintext, or `undefined` when it does not authenticate. */
export function openHpke(
  key: KeyObject,
  { encapsulated, ciphertext }: { readonly encapsulated: Buffer; readonly ciphertext: Buffer },
  { info, aad }: { readonly info: Buffer; readonly aad: Buffer },
): Buffer | undefined {
  const extracted = extract(KEM_SUITE, EMPTY, "eae_prk", agree(key, encapsulated));
  const context = Buffer.concat([encapsulated, publicBytes(key)]);
  const shared = expand(KEM_SUITE, extracted, { label: "shared_secret", info: context, length: 32 });
  const schedule = Buffer.concat([
    Buffer.of(0), // mode_base
    extract(SUITE, EMPTY, "psk_id_hash", EMPTY),
    extract(SUITE, EMPTY, "info_hash", info),
  ]);
  const secret = extract(SUITE, shared, "secret", EMPTY);
  const aesKey = expand(SUITE, secret, { label: "key", info: schedule, length: 32 });
  const nonce = expand(SUITE, secret, { label: "base_nonce", info: schedule, length: 12 });
  return open(aesKey, nonce, ciphertext, aad);
}
