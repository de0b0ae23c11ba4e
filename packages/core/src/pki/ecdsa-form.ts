import { type Bytes, concatBytes, fromHex, toHex } from "../bytes/index.ts";
import type { CertificateSignatureScheme, SignatureAlgorithm } from "../platform/index.ts";
import { derChildren, derContent, requireDer } from "./der-reader.ts";
import { integer, sequence } from "./der-writer.ts";

const COORDINATE_BYTES = { "P-256": 32, "P-384": 48, "P-521": 66 } as const;

// Orders of the groups (SP 800-186, section 3.2.1).
const ORDER_P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ORDER_P384 =
  0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n;

/**
 * The form in which X.509, PKCS#10 and CMS carry what {@link CryptoProvider.sign} returns: ECDSA as DER with the
 * smaller of the two values of s, RSA as it is.
 */
export function toCertificateForm(algorithm: SignatureAlgorithm, signature: Bytes): Bytes {
  if (algorithm === 2) return signature;
  const half = signature.length / 2;
  const order = algorithm === 1 ? ORDER_P256 : ORDER_P384;
  const s = BigInt(`0x${toHex(signature.subarray(half))}`);
  const low = 2n * s > order ? order - s : s;
  return sequence(integer(signature.subarray(0, half)), integer(fixed(low, half)));
}

/**
 * The P1363 form of an ECDSA signature in DER; an RSA signature as it is.
 * @throws RangeError when it is not two positive numbers in DER that fit the curve
 */
export function fromCertificateForm(scheme: CertificateSignatureScheme, signature: Bytes): Bytes {
  if (scheme.name !== "ECDSA") return signature;
  requireDer(signature);
  const [r, s, ...rest] = derChildren(signature);
  if (r === undefined || s === undefined || rest.length > 0) throw new RangeError("expected r and s");
  const length = COORDINATE_BYTES[scheme.curve];
  return concatBytes(unsigned(r, length), unsigned(s, length));
}

/**
 * An ECDSA signature in DER with the smaller s, another signature as it is. (r, n - s) verifies as well as (r, s), so
 * anybody can give a certificate a second form; of both this yields the same.
 *
 * @param signature which has verified by `scheme`
 */
export function toCanonicalForm(scheme: CertificateSignatureScheme, signature: Bytes): Bytes {
  if (scheme.name !== "ECDSA" || scheme.curve === "P-521") return signature;
  return toCertificateForm(scheme.curve === "P-256" ? 1 : 3, fromCertificateForm(scheme, signature));
}

function unsigned(integerDer: Bytes, length: number): Bytes {
  const digits = derContent(integerDer, 2);
  if ((digits[0] ?? 0x80) >= 0x80) throw new RangeError("negative");
  const start = digits[0] === 0 ? 1 : 0;
  const significant = digits.subarray(start);
  if (significant.length > length) throw new RangeError("beyond the curve's order");
  return concatBytes(new Uint8Array(length - significant.length), significant);
}

function fixed(value: bigint, length: number): Bytes {
  return fromHex(value.toString(16).padStart(2 * length, "0"));
}
