import { createPublicKey } from "node:crypto";
import type { WebCryptoSource } from "@photinus/core/platform";

type Subtle = WebCryptoSource["subtle"];

/**
 * `@peculiar/webcrypto` where it differs from the specification in what counts for security: what does not authenticate is
 * an OperationError, a signature of a wrong length is false, and a point that is not on its curve is no key. The first
 * two it answers by errors of OpenSSL, the last it takes.
 *
 * @param subtle of `@peculiar/webcrypto`; its methods are called on it
 */
export function strictSubtle(subtle: Subtle): Subtle {
  const call =
    (method: "decrypt" | "unwrapKey" | "deriveBits" | "verify" | "importKey") =>
    async (args: readonly unknown[]): Promise<unknown> =>
      await Reflect.apply(subtle[method], subtle, args);
  const changed = new Map<PropertyKey, (...args: readonly unknown[]) => Promise<unknown>>([
    ["decrypt", (...args) => refusing(() => call("decrypt")(args))],
    ["unwrapKey", (...args) => refusing(() => call("unwrapKey")(args))],
    ["deriveBits", (...args) => refusing(() => call("deriveBits")(args))],
    ["verify", (...args) => call("verify")(args).catch(falseForLength)],
    [
      "importKey",
      async (...args) => {
        const [format, data] = args;
        if (format === "spki") requirePublicKey(data);
        return await call("importKey")(args);
      },
    ],
  ]);
  return new Proxy(subtle, {
    get(target, property) {
      const replaced = changed.get(property);
      if (replaced !== undefined) return replaced;
      const member: unknown = Reflect.get(target, property, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

async function refusing(operation: () => Promise<unknown>): Promise<unknown> {
  try {
    return await operation();
  } catch {
    // OpenSSL's reason is nobody's business: the specification tells no more than this either.
    throw new DOMException("the operation failed for an operation-specific reason", "OperationError");
  }
}

function falseForLength(error: unknown): false {
  if (error instanceof Error && error.message === "Incorrect size of the signature") return false;
  throw error;
}

/** @throws DOMException `DataError` unless OpenSSL reads a public key there, its point on the curve */
function requirePublicKey(data: unknown): void {
  try {
    if (!(data instanceof Uint8Array)) throw new TypeError("bytes expected");
    createPublicKey({ key: Buffer.from(data), format: "der", type: "spki" });
  } catch {
    throw new DOMException("not a public key", "DataError");
  }
}
