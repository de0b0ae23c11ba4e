import { expect, test } from "vitest";
import { utf8 } from "../../src/bytes/index.ts";
import { AuthenticationError } from "../../src/errors/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import {
  type Authenticator,
  type AuthenticatorOutcome,
  type AuthenticatorRule,
  acceptSession,
  CredentialBook,
  type CredentialSource,
  credentialNonce,
  LoginAuthentication,
  openSession,
  type PeerFacts,
} from "../../src/session/index.ts";
import {
  memoryConnectionPair,
  memoryMetadata,
  sessionPairParts,
  testProject,
} from "../../src/testing/index.ts";

const crypto = webCrypto();
const project = await testProject();
const POLICY = new Uint8Array(32).fill(1);

/** Admits whoever brings the nonce of its own challenge. */
const byNonce: Authenticator = {
  name: "nonce",
  needsCredential: true,
  async authenticate({ challenge, credential, keyDigest, project: name }) {
    if (challenge === undefined) return { admitted: false, reason: "no challenge is open" };
    const nonce = await credentialNonce({ project: name, keyDigest, challenge }, { crypto });
    const isRight = credential !== undefined && new TextDecoder().decode(credential) === nonce;
    return isRight
      ? { admitted: true, expiresAtMs: Date.UTC(2100, 0) }
      : { admitted: false, reason: "another nonce" };
  },
};

const honest: CredentialSource = { credentialFor: async ({ nonce }) => utf8(nonce) };

async function aServer(
  rules: readonly AuthenticatorRule[],
  change: { policy?: Uint8Array<ArrayBuffer> } = {},
) {
  const parts = await sessionPairParts({ project });
  const { clock, connecting, accepting, modules } = parts;
  const outcomes: AuthenticatorOutcome[] = [];
  const metadata = memoryMetadata();
  const authenticationUnder = (policy: Uint8Array<ArrayBuffer>) =>
    new LoginAuthentication(
      { rules },
      {
        clock,
        crypto: modules.crypto,
        book: new CredentialBook(policy, { metadata, clock, crypto: modules.crypto }),
        record: (outcome) => void outcomes.push(outcome),
      },
    );
  let authentication = authenticationUnder(change.policy ?? POLICY);
  let logins = 0;
  /** One login, over as many connections as it takes. */
  const login = async (credentials: CredentialSource | "none" = honest) => {
    const connect = async () => {
      logins += 1;
      const { client, server } = memoryConnectionPair();
      acceptSession(server, { ...accepting, authentication }, modules).catch(() => undefined);
      return client;
    };
    const { signal } = new AbortController();
    return await openSession(
      connect,
      { session: connecting, credentials: credentials === "none" ? undefined : credentials },
      { ...modules, signal },
    );
  };
  return {
    ...parts,
    outcomes,
    login,
    connections: () => logins,
    reconfigure: (policy: Uint8Array<ArrayBuffer>) => {
      authentication = authenticationUnder(policy);
    },
  };
}

const refusalOf = async (login: Promise<unknown>): Promise<string> =>
  await login.then(
    () => "admitted",
    (error: unknown) =>
      error instanceof AuthenticationError ? `${error.code} ${error.message}` : `other ${error}`,
  );

const plain = (authenticate: Authenticator["authenticate"], name = "plain"): AuthenticatorRule => ({
  authenticator: { name, needsCredential: false, authenticate },
});

test("without authenticators the certificate is enough", async () => {
  const { login, connections } = await aServer([]);

  expect((await login()).scope).toBe("full");
  expect(connections()).toBe(1);
});

test("who brings no credential gets a challenge, and is admitted by an answer to it", async () => {
  const { login, connections, outcomes } = await aServer([{ authenticator: byNonce }]);

  expect((await login()).scope).toBe("full");
  expect(connections()).toBe(2);
  expect(outcomes.map(({ authenticator, verdict }) => [authenticator, verdict.admitted])).toEqual([
    ["nonce", true],
  ]);
});

test("an admission holds for the certificate until it runs out, and only under its configuration", async () => {
  const { login, connections, reconfigure } = await aServer([{ authenticator: byNonce }]);
  await login();

  await login("none");
  expect(connections()).toBe(3);

  reconfigure(new Uint8Array(32).fill(2));
  expect(await refusalOf(login("none"))).toContain("ERR_CREDENTIAL_REQUIRED");
});

test("who has no source of credentials is told that one is wanted", async () => {
  const { login } = await aServer([{ authenticator: byNonce }]);

  expect(await refusalOf(login("none"))).toContain("ERR_CREDENTIAL_REQUIRED");
});

test("a challenge is answered once: a credential that was used is refused", async () => {
  const { login } = await aServer([{ authenticator: byNonce }], {});
  let used = utf8("");
  await login({ credentialFor: async ({ nonce }) => (used = utf8(nonce)) });
  const replay = await aServer([{ authenticator: byNonce }]);

  // The same bytes for a fresh challenge, and without any.
  expect(await refusalOf(replay.login({ credentialFor: async () => used }))).toContain("another nonce");
});

test("a challenge runs out after ten minutes", async () => {
  const { login, clock } = await aServer([{ authenticator: byNonce }]);
  const slow: CredentialSource = {
    credentialFor: async ({ nonce }) => {
      await clock.advance(600_001);
      return utf8(nonce);
    },
  };

  expect(await refusalOf(login(slow))).toContain("no challenge is open");
});

test("of two logins that answer one challenge at once, one is refused", async () => {
  const { clock } = await aServer([]);
  const metadata = memoryMetadata();
  const book = new CredentialBook(POLICY, { metadata, clock, crypto });
  const leaf = new Uint8Array(32);
  await book.issue(leaf);

  const taken = await Promise.allSettled([book.take(leaf), book.take(leaf)]);
  const given = taken.filter((result) => result.status === "fulfilled" && result.value !== undefined);
  expect(given).toHaveLength(1);
  expect(await book.take(leaf)).toBeUndefined();
});

test("challenges and admissions that have run out are deleted, and those that hold are not", async () => {
  const { clock } = await aServer([]);
  const metadata = memoryMetadata();
  const book = new CredentialBook(POLICY, { metadata, clock, crypto });
  const [gone, held] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  await book.issue(gone);
  await book.admit(gone, clock.now() + 1000);
  await book.admit(held, clock.now() + 86_400_000);

  await clock.advance(3_599_999);
  await book.issue(held);
  expect(await metadata.list("login/")).toHaveLength(4); // looked for once an hour
  await clock.advance(1);
  await book.issue(held);

  const keys = (await metadata.list("login/")).map(({ key }) => key);
  expect(keys).toEqual([`login/admissions/${"02".repeat(32)}`, `login/challenges/${"02".repeat(32)}`]);
  expect(await book.take(held)).toHaveLength(32);
  expect(await book.admittedUntil(held)).toBeGreaterThan(clock.now());
  expect(await book.admittedUntil(gone)).toBeUndefined();
});

test("the session ends when what was proved runs out", async () => {
  const until = { ms: 0 };
  const { login, clock } = await aServer([plain(() => ({ admitted: true, expiresAtMs: until.ms }))]);
  until.ms = clock.now() + 40_000;
  const session = await login();
  session.receive({ routes: [] });

  await clock.advance(40_000);
  expect(await session.ended).toMatchObject({ local: false });
});

test("a verdict without a time that lies ahead admits nobody", async () => {
  for (const expiresAtMs of [0, Number.NaN]) {
    const { login } = await aServer([plain(() => ({ admitted: true, expiresAtMs }))]);
    expect(await refusalOf(login())).toContain("ERR_CREDENTIAL_REFUSED");
  }
});

test("an authenticator that throws refuses, and its words stay here", async () => {
  const { login, outcomes } = await aServer([
    plain(() => {
      throw new Error("secret of the database");
    }),
  ]);

  const refusal = await refusalOf(login());
  expect(refusal).toContain("ERR_CREDENTIAL_REFUSED");
  expect(refusal).not.toContain("secret");
  expect(outcomes).toHaveLength(1);
});

test("an authenticator that does not answer in time refuses", async () => {
  let signal: AbortSignal | undefined;
  const { login, clock } = await aServer([
    plain((_facts, stop) => {
      signal = stop;
      return new Promise(() => undefined);
    }),
  ]);
  const refusal = refusalOf(login());
  await clock.advance(5_000);

  expect(await refusal).toContain("did not answer within 5000 ms");
  expect(signal?.aborted).toBe(true);
});

test("all that apply have to admit, and those for other roles and organizations are not asked", async () => {
  const no = (name: string) => plain(() => ({ admitted: false, reason: "no" }), name);
  const yes = plain(() => ({ admitted: true }), "yes");
  const others = [
    { ...no("users"), roles: ["lead"] as const },
    { ...no("elsewhere"), orgs: ["elsewhere"] },
  ];
  const asked = await aServer([yes, ...others]);
  expect((await asked.login()).scope).toBe("full");
  expect(asked.outcomes.map(({ authenticator }) => authenticator)).toEqual(["yes"]);

  const refusing = await aServer([yes, no("last")]);
  expect(await refusalOf(refusing.login())).toContain("last: no");
});

test("an authenticator gets a frozen copy and no key", async () => {
  const seen: PeerFacts[] = [];
  const spy = plain((facts) => {
    seen.push(facts);
    facts.keyDigest.fill(0);
    return { admitted: true };
  });
  const { login, outcomes, connecting } = await aServer([spy, spy]);
  await login();

  const [first, second] = seen;
  expect(Object.isFrozen(first)).toBe(true);
  expect(second?.keyDigest).toEqual(new Uint8Array(32));
  expect(outcomes[0]?.facts.keyDigest).toEqual(await crypto.sha256(connecting.identity.signingKey.publicKey));
  expect(Object.keys(first ?? {}).sort()).toEqual(
    ["challenge", "credential", "keyDigest", "leafDigest", "name", "org", "project", "role"].sort(),
  );
});

test("nobody is admitted whose admission could not be recorded", async () => {
  const parts = await sessionPairParts({ project });
  const { clock, connecting, accepting, modules } = parts;
  const authentication = new LoginAuthentication(
    { rules: [plain(() => ({ admitted: true }))] },
    {
      clock,
      crypto: modules.crypto,
      record: () => {
        throw new Error("the disk is full");
      },
    },
  );
  const { client, server } = memoryConnectionPair();
  const accepted = acceptSession(server, { ...accepting, authentication }, modules);
  accepted.catch(() => undefined);
  const { signal } = new AbortController();
  const opened = openSession(
    async () => client,
    { session: connecting, credentials: undefined },
    { ...modules, signal },
  );

  await expect(opened).rejects.toMatchObject({ code: "ERR_INTERNAL" });
  await expect(accepted).rejects.toThrow("the disk is full");
});

test("a client asks its own authenticators about the server before it says who it is", async () => {
  const { clock, connecting, accepting, modules, connections } = await sessionPairParts({
    project,
    transport: { record: true },
  });
  const asked: PeerFacts[] = [];
  const authentication = new LoginAuthentication(
    {
      rules: [
        plain((facts) => {
          asked.push(facts);
          return { admitted: false, reason: "not this server" };
        }),
      ],
    },
    { clock, crypto: modules.crypto },
  );
  const accepted = acceptSession(connections.server, accepting, modules);
  accepted.catch(() => undefined);
  const { signal } = new AbortController();
  const opened = openSession(
    async () => connections.client,
    { session: { ...connecting, authentication }, credentials: undefined },
    { ...modules, signal },
  );

  expect(await refusalOf(opened)).toContain("not this server");
  expect(asked[0]).toMatchObject({ role: "server", credential: undefined });
  // Message 1 and an ERROR: its certificate did not leave.
  expect(connections.sentByClient).toHaveLength(2);
});
