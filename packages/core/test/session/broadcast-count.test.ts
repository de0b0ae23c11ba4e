import { expect, test } from "vitest";
import { type Bytes, equalBytes } from "../../src/bytes/index.ts";
import { builtInRegistry, type DecomposerRegistry, encode } from "../../src/decomposer/index.ts";
import { sealObject, type VerifiedObject } from "../../src/envelope/index.ts";
import { OBJECT_TYPES } from "../../src/message/index.ts";
import { type CryptoProvider, webCrypto } from "../../src/platform/index.ts";
import { acceptSession, connectSession, type Session } from "../../src/session/index.ts";
import { sessionPairParts, type TestProject, testProject } from "../../src/testing/index.ts";

/** What one broadcast costs the server. */
interface Costs {
  encodes: number;
  hashes: number;
  signatures: number;
  /** The one part that is done for each socket. */
  encryptions: number;
}

/** Stands in the value that is sent: whoever encodes it asks the registry for it. */
const MARK = new Date(0);
const VALUE = { mark: MARK, version: 1 };

function countingRegistry(costs: Costs): DecomposerRegistry {
  const registry = builtInRegistry();
  return {
    byId: (id) => registry.byId(id),
    of: (value) => {
      if (value === MARK) costs.encodes += 1;
      return registry.of(value);
    },
  };
}

/** The server's cryptography: hashes of the payload, all signatures and all encryptions are counted. */
function countingCrypto(costs: Costs, payload: () => Bytes | undefined): CryptoProvider {
  const provider = webCrypto();
  return {
    ...provider,
    sha256: (data) => {
      const body = payload();
      if (body !== undefined && equalBytes(data, body)) costs.hashes += 1;
      return provider.sha256(data);
    },
    sign: (key, data) => {
      costs.signatures += 1;
      return provider.sign(key, data);
    },
    aesGcmSeal: (key, iv, plaintext, aad) => {
      costs.encryptions += 1;
      return provider.aesGcmSeal(key, iv, plaintext, aad);
    },
  };
}

/** An object that the server sends to `count` sites. */
async function broadcast(project: TestProject, count: number): Promise<{ costs: Costs; taken: number }> {
  const costs: Costs = { encodes: 0, hashes: 0, signatures: 0, encryptions: 0 };
  let payload: Bytes | undefined;
  const crypto = countingCrypto(costs, () => payload);
  const registry = countingRegistry(costs);
  const identities = [...project.sites.values()].slice(0, count);
  const taken: VerifiedObject[] = [];
  const sessions: Session[] = [];
  const arrived: Promise<void>[] = [];
  let nowMs = 0;
  for (const identity of identities) {
    const { connections, connecting, accepting, modules, clock } = await sessionPairParts({
      project,
      identity,
    });
    const [client, server] = await Promise.all([
      connectSession(connections.client, connecting, modules),
      acceptSession(connections.server, accepting, { ...modules, crypto, registry }),
    ]);
    nowMs = clock.now();
    arrived.push(
      new Promise((resolve) => {
        client.receive({
          routes: [],
          onObject: (object) => {
            taken.push(object);
            resolve();
          },
        });
      }),
    );
    server.receive({ routes: [] });
    sessions.push(server);
  }
  Object.assign(costs, { encodes: 0, hashes: 0, signatures: 0, encryptions: 0 });

  payload = encode(VALUE, registry);
  const content = { objectType: OBJECT_TYPES.publication, audience: "all", issuedAt: nowMs, payload };
  const object = await sealObject({ ...content, lifetimeMs: 60_000 }, { identity: project.server, crypto });
  await Promise.all(sessions.map((session) => session.sendObject(object, project.server.participant.chain)));
  await Promise.all(arrived);

  expect(taken.every(({ bytes }) => equalBytes(bytes, object))).toBe(true);
  return { costs, taken: taken.length };
}

test("an object for N sites is encoded, hashed and signed once, and encrypted once for each", async () => {
  const project = await testProject({ sites: ["a", "b", "c", "d", "e"], users: [] });

  for (const sites of [1, 2, 5]) {
    const { costs, taken } = await broadcast(project, sites);

    expect(taken).toBe(sites);
    expect(costs).toEqual({ encodes: 1, hashes: 1, signatures: 1, encryptions: sites });
  }
});
