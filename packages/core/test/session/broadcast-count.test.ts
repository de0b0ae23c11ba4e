import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { builtInRegistry, type DecomposerRegistry, encode } from "../../src/decomposer/index.ts";
import { sealObject, type VerifiedObject } from "../../src/envelope/index.ts";
import { OBJECT_TYPES } from "../../src/message/index.ts";
import { type CryptoProvider, webCrypto } from "../../src/platform/index.ts";
import { type SessionPair, sessionPair, testProject, trackCrypto, virtualClock } from "../../src/testing/index.ts";

/** How often the server did what costs, from the value to the last socket. */
interface Counts {
  encodes: number;
  hashes: number;
  signatures: number;
  encryptions: number;
}

/** The server's crypto and registry, counted; hashes and signatures only of what holds the object's payload or header. */
function counted(counts: Counts): { crypto: CryptoProvider; registry: DecomposerRegistry } {
  const provider = webCrypto();
  const registry = builtInRegistry();
  return {
    registry: new Proxy(registry, {
      get: (target, property) => Reflect.get(target, property, target),
    }),
    crypto: {
      ...provider,
      sha256: (data) => {
        if (isPayload(data)) counts.hashes += 1;
        return provider.sha256(data);
      },
      sign: (key, data) => {
        counts.signatures += 1;
        return provider.sign(key, data);
      },
      aesGcmSeal: (key, iv, plaintext, aad) => {
        counts.encryptions += 1;
        return provider.aesGcmSeal(key, iv, plaintext, aad);
      },
    },
  };
}
