import { type Certificate, type Issuer, parseCertificate } from "@photinus/core/pki";
import { type CryptoProvider, type SigningKey, webCrypto } from "@photinus/core/platform";
import { TEST_EPOCH_MS } from "@photinus/core/testing";
import type { CertificateTemplate } from "../../src/pki/encode-certificate.ts";
import { type Forgery, forge } from "./forge.ts";

const DAY_MS = 86_400_000;

/** A CA, or a holder, with its key. */
export interface Party extends Issuer {
  readonly certificate: Certificate;
}

/** What a party is; a CA valid for a day unless it says otherwise. */
export interface PartyOptions extends Pick<Forgery, "extensions" | "withoutExtensions"> {
  readonly name: string;
  /** By default itself. */
  readonly issuer?: Issuer;
  /** By default a fresh one. */
  readonly key?: SigningKey;
  readonly template?: Partial<CertificateTemplate>;
}

/** Makes a party. */
export async function party({ name, issuer, template, ...options }: PartyOptions): Promise<Party> {
  const crypto = webCrypto();
  const { key = await crypto.generateSigningKey(1), ...forgery } = options;
  const der = await forge(
    {
      subject: { organization: "example", commonName: name },
      publicKey: key.publicKey,
      notBeforeMs: TEST_EPOCH_MS - DAY_MS,
      notAfterMs: TEST_EPOCH_MS + DAY_MS,
      authority: {},
      keyUsage: ["keyCertSign"],
      ...template,
    },
    issuer ?? { key },
    { crypto, ...forgery },
  );
  return { certificate: await parseCertificate(der, { crypto }), key };
}

/** A CA of a chain. */
export interface ChainLink {
  readonly name: string;
  readonly pathLength?: number;
}

/** CAs below one another, given from the anchor down. @returns the lowest first */
export async function chainOf(anchor: Party, ...links: readonly ChainLink[]): Promise<readonly Party[]> {
  const chain: Party[] = [];
  for (const { name, ...authority } of links) {
    chain.unshift(await party({ name, issuer: chain[0] ?? anchor, template: { authority } }));
  }
  return chain;
}

/** A provider that counts the signatures of certificates that it verifies. */
export function countingCrypto(): CryptoProvider & { verifications: number } {
  const provider = webCrypto();
  return {
    ...provider,
    verifications: 0,
    verifyCertificateSignature(...args) {
      this.verifications++;
      return provider.verifyCertificateSignature(...args);
    },
  };
}
