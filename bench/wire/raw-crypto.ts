import { diffieHellman, generateKeyPairSync, sign, verify } from "node:crypto";
import { cpuNowMs } from "../federation/usage.ts";
import type { Population } from "./project.ts";

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
 * The public-key operations of `count` log-ins with a known chain, as they were when the targets were set: two X25519 keys
 * (one today), three agreements, its signatures under the handshake and two tokens, the client's signature.
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

/** Which curve the CA of a population signs on. */
const ISSUERS = {
  enrolled: { hash: "SHA-256", ...generateKeyPairSync("ec", { namedCurve: "P-256" }) },
  kits: { hash: "SHA-384", ...generateKeyPairSync("ec", { namedCurve: "P-384" }) },
} as const;

/** The signature on each site's certificate, of `count` that a server has never seen. @returns CPU time, ms */
export function rawCertificatesMs({
  population,
  count,
}: {
  readonly population: Population;
  readonly count: number;
}): number {
  const { hash, publicKey: key, privateKey } = ISSUERS[population];
  const issued = sign(hash, message, { key: privateKey, dsaEncoding: P1363 });
  const before = cpuNowMs();
  for (let index = 0; index < count; index++) verify(hash, message, { key, dsaEncoding: P1363 }, issued);
  return cpuNowMs() - before;
}
