import { type Bytes, concatBytes } from "../bytes/index.ts";
import type { CryptoProvider, SigningKey, VerifyingKey } from "../platform/index.ts";
import {
  type Frame,
  type FrameKind,
  type Label,
  labelled,
  MAX_FRAME_BYTES,
  MAX_HEADER_BYTES,
  prefixOf,
} from "../wire/index.ts";

/** RSA: SubjectPublicKeyInfo is the modulus and 38 bytes of frame around it, with the exponent 65 537. */
const RSA_SPKI_OVERHEAD = 38;

/**
 * Length of the signatures of a key: the prefix of a frame, which is signed, contains it.
 * @throws TypeError for an RSA key whose public exponent is not 65 537
 */
export function signatureLength(key: SigningKey): number {
  switch (key.algorithm) {
    case 1:
      return 64;
    case 3:
      return 96;
    case 2: {
      const modulusBytes = key.publicKey.byteLength - RSA_SPKI_OVERHEAD;
      if (modulusBytes % 64 !== 0) throw new TypeError("an RSA key with an unusual exponent or length");
      return modulusBytes;
    }
  }
}

/** What {@link signFrame} puts together. */
export interface FrameToSign {
  /** Kind of the frame. */
  readonly kind: FrameKind;
  /** What the signature is for. */
  readonly label: Label;
  /** Encoded header. */
  readonly header: Bytes;
  /** Payload; bound by the digest in the header. */
  readonly payload: Bytes;
}

/** A frame whose tag is a signature over S(label, prefix ‖ header). One signature, one copy of the payload. */
export async function signFrame(frame: FrameToSign, key: SigningKey, crypto: CryptoProvider): Promise<Bytes> {
  const { kind, label, header, payload } = frame;
  const tagLength = signatureLength(key);
  const lengths = { header: header.byteLength, tag: tagLength, payload: payload.byteLength };
  if (header.byteLength > MAX_HEADER_BYTES) throw new RangeError(`header of ${header.byteLength} bytes`);
  const prefix = prefixOf(kind, lengths);
  const signature = await crypto.sign(key, labelled(label, prefix, header));
  if (signature.byteLength !== tagLength)
    throw new TypeError("the provider made a signature of another length");
  const bytes = concatBytes(prefix, header, signature, payload);
  if (bytes.byteLength > MAX_FRAME_BYTES) throw new RangeError(`signed frame of ${bytes.byteLength} bytes`);
  return bytes;
}

/** What a frame says of its signature. */
export interface SignedClaim {
  /** What the signature is for. */
  readonly label: Label;
  /** Algorithm that the header names. */
  readonly algorithm: number;
  /** The frame: its tag is the signature. */
  readonly frame: Frame;
}

/** True when the frame that {@link signFrame} put together is of this key, and its header says so. */
export async function isSignedBy(
  key: VerifyingKey,
  { label, algorithm, frame }: SignedClaim,
  crypto: CryptoProvider,
): Promise<boolean> {
  if (algorithm !== key.algorithm) return false;
  return await crypto.verify(key, frame.tag, labelled(label, frame.prefix, frame.header));
}
