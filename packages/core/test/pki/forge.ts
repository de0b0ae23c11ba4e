import type { Bytes } from "@photinus/core/bytes";
import type { Issuer } from "@photinus/core/pki";
import type { CryptoProvider } from "@photinus/core/platform";
import { derChildren } from "../../src/pki/der-reader.ts";
import {
  bitString,
  explicit,
  objectIdentifier,
  octetString,
  sequence,
  TRUE,
} from "../../src/pki/der-writer.ts";
import { toCertificateForm } from "../../src/pki/ecdsa-form.ts";
import { type CertificateTemplate, signCertificate } from "../../src/pki/encode-certificate.ts";

/** What a careless or dishonest holder of a CA's key writes otherwise; the signature is right in any case. */
export interface Forgery {
  /** Extensions, DER, that take the place of those of the same type or stand behind the others. */
  readonly extensions?: readonly Bytes[];
  /** Types of extensions that are left out. */
  readonly withoutExtensions?: readonly string[];
  /** Changes the fields of what is signed. */
  readonly fields?: (fields: Bytes[]) => void;
  /** Changes what stands around: signed part, algorithm, signature. */
  readonly outside?: (parts: [Bytes, Bytes, Bytes]) => void;
}

/** Extension, DER. */
export function extension(type: string, value: Uint8Array, criticality: "critical" | "" = ""): Bytes {
  const flag = criticality === "critical" ? [TRUE] : [];
  return sequence(objectIdentifier(type), ...flag, octetString(value));
}

/** Index of the extensions in what is signed. */
const EXTENSIONS = 7;

/** A certificate as the template says, but for the forgery. */
export async function forge(
  template: CertificateTemplate,
  issuer: Issuer,
  { crypto, ...forgery }: Forgery & { readonly crypto: CryptoProvider },
): Promise<Bytes> {
  const good = await signCertificate(template, issuer, { crypto });
  const [, algorithm] = derChildren(good.der);
  if (algorithm === undefined) throw new RangeError("no algorithm");
  const fields = [...derChildren(good.tbs)];
  const { extensions = [], withoutExtensions = [] } = forgery;
  const left = new Set([
    ...extensions.map(typeOf),
    ...withoutExtensions.map((type) => String(objectIdentifier(type))),
  ]);
  fields[EXTENSIONS] = replaced(fields[EXTENSIONS], { added: extensions, left });
  forgery.fields?.(fields);
  const tbs = sequence(...fields);
  const signature = toCertificateForm(issuer.key.algorithm, await crypto.sign(issuer.key, tbs));
  const parts: [Bytes, Bytes, Bytes] = [tbs, algorithm, bitString(signature)];
  forgery.outside?.(parts);
  return sequence(...parts);
}

interface Replacement {
  readonly added: readonly Bytes[];
  readonly left: ReadonlySet<string>;
}

function replaced(wrapped: Bytes | undefined, { added, left }: Replacement): Bytes {
  const [list] = derChildren(wrapped ?? new Uint8Array(), 0xa3);
  const kept = derChildren(list ?? new Uint8Array()).filter((one) => !left.has(typeOf(one)));
  return explicit(3, sequence(...kept, ...added));
}

function typeOf(der: Bytes): string {
  return String(derChildren(der)[0]);
}
