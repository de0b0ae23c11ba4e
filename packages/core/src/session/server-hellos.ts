import type { Bytes } from "../bytes/index.ts";
import type { CryptoProvider } from "../platform/index.ts";
import { type ServerHello, signedPartOfServer } from "./handshake-payloads.ts";

/** Message 2 without its signature. */
export interface EncodedHello {
  /** P. */
  readonly part: Bytes;
  /** SHA-256 of P. */
  readonly digest: Bytes;
}

interface Latest extends EncodedHello {
  readonly hello: ServerHello;
}

/**
 * What a server tells every client in message 2, its chain, root and revocation list: encoded once for all of them, until
 * one of these is another. One for all sessions of a server.
 */
export class ServerHellos {
  #latest: Latest | undefined;

  /** The encoding of `hello`, made now unless it is that of the last one. */
  async encode(hello: ServerHello, { crypto }: { readonly crypto: CryptoProvider }): Promise<EncodedHello> {
    const known = this.#latest;
    if (known !== undefined && isSame(known.hello, hello)) return known;
    const part = signedPartOfServer(hello);
    const latest = { hello, part, digest: await crypto.sha256(part) };
    this.#latest = latest;
    return latest;
  }
}

/** Certificates and lists are never changed in place: the same memory is the same content. */
function isSame(known: ServerHello, { version, versions, chain, root, ...rest }: ServerHello): boolean {
  return (
    known.version === version &&
    known.versions === versions &&
    known.chain === chain &&
    known.root === root &&
    known.revocationList === rest.revocationList &&
    known.algorithm === rest.algorithm
  );
}
