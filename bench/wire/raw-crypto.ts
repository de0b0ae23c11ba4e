import { diffieHellman, generateKeyPairSync, sign, verify } from "node:crypto";
import { cpuNowMs } from "../federation/usage.ts";

const P1363 = "ieee-p1363" as const;
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const message = new Uint8Array(320).fill(7); // prefix and header of a small message
const signature = sign("SHA-256", message, { key: privateKey, dsaEncoding: P1363 });
const peer = generateKeyPairSync("x25519");

const verifyOnce = (): boolean =>
  verify("SHA-256", message, { key: publicKey, dsaEncoding: P1363 }, signature);

/** `count` verifications of P-256 by node:crypto and nothing else. @returns CPU time, ms */
export function rawVerifyMs(count: number): number {
  const before = cpuNowMs();
  for (let index = 0; index < count; index++) verifyOnce();
  return cpuNowMs() - before;
}

/**
 * The public-key operations that a server cannot leave out of `count` log-ins: two X25519 keys, three agreements, its
 * signatures under the handshake and two tokens, the client's signature.
 * @returns CPU time, ms
 */
export function rawLoginMs(count: number): number {
  const before = cpuNowMs();
  for (let index = 0; index < count; index++) {
    for (let keys = 0; keys < 2; keys++) generateKeyPairSync("x25519");
    for (let agreements = 0; agreements < 3; agreements++) {
      diffieHellman({ privateKey: peer.privateKey, publicKey: peer.publicKey });
    }
    for (let signatures = 0; signatures < 3; signatures++) {
      sign("SHA-256", message, { key: privateKey, dsaEncoding: P1363 });
    }
    verifyOnce();
  }
  return cpuNowMs() - before;
}
