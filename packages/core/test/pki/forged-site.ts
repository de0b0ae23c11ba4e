import type { Bytes } from "@photinus/core/bytes";
import { verifyChain } from "@photinus/core/pki";
import { type CryptoProvider, webCrypto } from "@photinus/core/platform";
import { TEST_EPOCH_MS, testProject } from "@photinus/core/testing";
import { expect } from "vitest";
import type { CertificateTemplate } from "../../src/pki/encode-certificate.ts";
import { OID } from "../../src/pki/object-identifiers.ts";
import { type Forgery, forge } from "./forge.ts";

const DAY_MS = 86_400_000;

/** URI of the site that is forged. */
export const URN = "urn:photinus:test:site:clinic-a";

/** The certificate of a site, as the holder of a CA's key could sign it in a form that some reader takes otherwise. */
export interface ForgedSite {
  readonly crypto: CryptoProvider;
  readonly make: (forgery: Forgery, changes?: Partial<CertificateTemplate>) => Promise<Bytes>;
  readonly verify: (der: Bytes) => Promise<unknown>;
  readonly isAccepted: (forgery: Forgery) => Promise<void>;
  /** @param code without ERR_CERTIFICATE_ */
  readonly isRefused: (forgery: Forgery, code: string) => Promise<void>;
}

export async function forgedSite(): Promise<ForgedSite> {
  const crypto = webCrypto();
  const project = await testProject({ sites: [], users: [] });
  const root = project.root.certificate.der;
  const { publicKey } = await crypto.generateSigningKey(1);
  const template: CertificateTemplate = {
    subject: { organization: "example", organizationalUnit: "site", commonName: "clinic-a" },
    publicKey,
    notBeforeMs: TEST_EPOCH_MS - DAY_MS,
    notAfterMs: TEST_EPOCH_MS + DAY_MS,
    uri: URN,
    keyUsage: ["digitalSignature"],
    purposes: [OID.clientAuth],
  };
  const make: ForgedSite["make"] = (forgery, changes) =>
    forge({ ...template, ...changes }, project.root, { crypto, ...forgery });
  const verify: ForgedSite["verify"] = (der) =>
    verifyChain([der], { root, project: "test", usage: "client", nowMs: TEST_EPOCH_MS }, { crypto });
  return {
    ...{ crypto, make, verify },
    async isAccepted(forgery) {
      await expect(verify(await make(forgery))).resolves.toBeDefined();
    },
    async isRefused(forgery, code) {
      await expect(verify(await make(forgery))).rejects.toMatchObject({ code: `ERR_CERTIFICATE_${code}` });
    },
  };
}

/** Extensions in place of those of the same type, or behind the others. */
export const added = (...extensions: Bytes[]): Forgery => ({ extensions });

/** Another value of one field of what is signed, by its index. */
export const field = (index: number, value: Bytes): Forgery => ({
  fields: (fields) => {
    fields[index] = value;
  },
});

/** The algorithm of the signature, inside and outside. */
export const algorithm = (value: Bytes): Forgery => ({
  ...field(2, value),
  outside: (parts) => {
    parts[1] = value;
  },
});
