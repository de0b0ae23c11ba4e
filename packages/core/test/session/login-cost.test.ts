import { expect, test } from "vitest";
import { type Bytes, equalBytes } from "../../src/bytes/index.ts";
import { ChainCache } from "../../src/pki/index.ts";
import { type CryptoProvider, webCrypto } from "../../src/platform/index.ts";
import {
  encodeServerHello,
  type ServerHello,
  SUPPORTED_VERSIONS,
  signServerHello,
} from "../../src/session/handshake-payloads.ts";
import { acceptSession, connectSession, ServerHellos } from "../../src/session/index.ts";
import { sessionPairParts, testProject } from "../../src/testing/index.ts";

const crypto = webCrypto();
const project = await testProject();
const HELLO: ServerHello = {
  version: 1,
  versions: SUPPORTED_VERSIONS,
  chain: project.server.participant.chain,
  root: project.root.certificate.der,
  revocationList: project.revocations.ofRoot?.der,
  algorithm: 1,
};

/** Public-key operations of the server's side, by the name of the provider's function. */
function counted(names: readonly (keyof CryptoProvider)[]): {
  readonly crypto: CryptoProvider;
  readonly counts: Map<string, number>;
} {
  const counts = new Map<string, number>(names.map((name) => [name, 0]));
  const proxy = new Proxy(crypto, {
    get(target, property) {
      const count = typeof property === "string" ? counts.get(property) : undefined;
      if (count !== undefined && typeof property === "string") counts.set(property, count + 1);
      return Reflect.get(target, property, target);
    },
  });
  return { crypto: proxy, counts };
}

test("ten log-ins of a known chain cost ten ephemeral keys, thirty agreements and signatures, no import", async () => {
  const server = counted([
    "generateAgreementKey",
    "agree",
    "sign",
    "verify",
    "importVerifyingKey",
    "verifyCertificateSignature",
  ]);
  const noiseKey = await crypto.generateAgreementKey();
  const shared = { chainCache: new ChainCache(), serverHellos: new ServerHellos() };
  const login = async (): Promise<void> => {
    const parts = await sessionPairParts({ project, server: { noiseKey } });
    await Promise.all([
      connectSession(parts.connections.client, parts.connecting, parts.modules),
      acceptSession(parts.connections.server, parts.accepting, {
        ...parts.modules,
        ...shared,
        crypto: server.crypto,
      }),
    ]);
  };
  await login();
  for (const name of server.counts.keys()) server.counts.set(name, 0);

  for (let index = 0; index < 10; index++) await login();

  expect(Object.fromEntries(server.counts)).toEqual({
    generateAgreementKey: 10,
    agree: 30,
    sign: 30, // message 2 and two tokens
    verify: 10,
    importVerifyingKey: 0,
    verifyCertificateSignature: 0,
  });
});

test("what all clients are told is encoded and hashed once, until a newer list comes", async () => {
  const hellos = new ServerHellos();
  let hashes = 0;
  const counting: CryptoProvider = {
    ...crypto,
    sha256: (data) => {
      hashes += 1;
      return crypto.sha256(data);
    },
  };

  const first = await hellos.encode(HELLO, { crypto: counting });
  for (let login = 0; login < 100; login++) {
    expect(await hellos.encode({ ...HELLO }, { crypto: counting })).toBe(first);
  }
  const newer = await hellos.encode({ ...HELLO, revocationList: Uint8Array.of(1) }, { crypto: counting });

  expect(newer.part).not.toBe(first.part);
  expect(hashes).toBe(2);
});

test("a payload that was encoded before is signed into the same bytes as a fresh one", async () => {
  const { part, digest } = await new ServerHellos().encode(HELLO, { crypto });
  const signature: Bytes = new Uint8Array(64).fill(9);

  expect(equalBytes(signServerHello(part, signature), encodeServerHello(HELLO, signature))).toBe(true);
  expect(digest).toEqual(await crypto.sha256(part));
});
