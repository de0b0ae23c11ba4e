import { type Bytes, equalBytes } from "@photinus/core/bytes";
import {
  ChainDirectory,
  memoryReplayStore,
  ObjectVerifier,
  openCheckpoint,
  openSigned,
  readSignedHeader,
  SeenMessages,
  TokenBook,
  type TokenExpectations,
  verifyToken,
} from "@photinus/core/envelope";
import {
  openCertificateRequest,
  parseCertificate,
  parseRevocationList,
  verifyChain,
  verifyRevocationList,
} from "@photinus/core/pki";
import { DEFAULT_OBJECT_RULES } from "@photinus/core/session";
import { FRAME_KIND, readFrame } from "@photinus/core/wire";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { corpusOf } from "./corpus.ts";
import type { FuzzTarget } from "./engine.ts";
import { bytesOf, CHECKPOINT, OBJECT, PARTICIPANTS, SIGNED, TOKEN } from "./vectors.ts";

const crypto = nodeCrypto();

/** What verifies must be what was signed. @throws Error, which is a defect: a forgery */
function requireOneOf(signed: readonly Bytes[], bytes: Bytes): void {
  if (!signed.some((each) => equalBytes(each, bytes)))
    throw new Error("a forgery: it verifies and nobody signed it");
}

/**
 * Targets that verify: whatever they take must be one of the seeds to the last byte. With a key nobody has, no
 * mutation makes another.
 */
export async function forgeryTargets(): Promise<readonly FuzzTarget[]> {
  return [
    certificate(),
    revocationList(await issuer()),
    request(),
    await token(),
    await signed(),
    await object(),
    await checkpoint(),
  ];
}

function certificate(): FuzzTarget {
  const { root, enrolmentCa, server, site, enrolledSite, user, project, nowMs } = PARTICIPANTS;
  const leaves = [server, site, enrolledSite, user].flatMap(([leaf]) => (leaf === undefined ? [] : [leaf]));
  return {
    name: "certificate",
    shape: "der",
    seeds: [root, enrolmentCa, ...leaves, ...corpusOf("certificate")],
    async read(bytes) {
      const parsed = await parseCertificate(bytes, { crypto });
      if (!equalBytes(parsed.der, bytes)) throw new Error("a certificate was read from other bytes");
      for (const chain of [[bytes], [bytes, enrolmentCa]]) {
        const verified = await isVerified(() =>
          verifyChain(chain, { root, project, usage: "signer", nowMs }, { crypto }),
        );
        if (verified) requireOneOf(leaves, bytes);
      }
      return "certificate";
    },
  };
}

/** True when it verifies; false for a refusal. @throws what is none */
async function isVerified(verify: () => Promise<unknown>): Promise<boolean> {
  try {
    await verify();
    return true;
  } catch (error) {
    if (String(Reflect.get(Object(error), "code")).startsWith("ERR_C")) return false;
    throw error;
  }
}

/** The CA whose lists lie in the corpus. */
async function issuer(): Promise<Awaited<ReturnType<typeof parseCertificate>>> {
  const [der] = corpusOf("revocation-issuer");
  if (der === undefined) throw new RangeError("the corpus lacks the issuer of its revocation lists");
  return await parseCertificate(der, { crypto });
}

function revocationList(ca: Awaited<ReturnType<typeof issuer>>): FuzzTarget {
  const signed = corpusOf("signed-revocation-list");
  return {
    name: "revocation-list",
    shape: "der",
    seeds: [...signed, ...corpusOf("revocation-list")],
    async read(bytes) {
      const list = await parseRevocationList(bytes, { crypto });
      if (await isVerified(() => verifyRevocationList(list, ca, { crypto }))) requireOneOf(signed, bytes);
      return `list of ${Math.min(list.entries.size, 3)}`;
    },
  };
}

function request(): FuzzTarget {
  const signed = corpusOf("signed-request");
  return {
    name: "request",
    shape: "der",
    seeds: [...signed, ...corpusOf("request")],
    async read(bytes) {
      await openCertificateRequest(bytes, { crypto });
      requireOneOf(signed, bytes);
      return "request";
    },
  };
}

/** What the token of the published vectors has to prove. */
async function tokenExpectations(): Promise<TokenExpectations> {
  const { site, server, root, project, nowMs: validMs } = PARTICIPANTS;
  const { sid, nowMs } = TOKEN;
  const whose = { root, project, nowMs: validMs } as const;
  const holder = (await verifyChain(site, { ...whose, usage: "client" }, { crypto })).participant;
  const { verifyingKey, publicKey } = await verifyChain(server, { ...whose, usage: "server" }, { crypto });
  return { holder, sid, nowMs, serverKey: verifyingKey, serverKeyId: await crypto.sha256(publicKey) };
}

async function token(): Promise<FuzzTarget> {
  const expected = await tokenExpectations();
  return {
    name: "token",
    shape: "pack",
    seeds: [...bytesOf("tokens"), ...corpusOf("token")],
    async read(bytes) {
      await verifyToken(bytes, expected, crypto);
      requireOneOf([TOKEN.bytes], bytes);
      return "token";
    },
  };
}

async function signed(): Promise<FuzzTarget> {
  const { site, siteName, root, project, nowMs: validMs } = PARTICIPANTS;
  const { sid, nowMs, frame: valid } = SIGNED;
  const { verifyingKey } = await verifyChain(
    site,
    { root, project, usage: "client", nowMs: validMs },
    { crypto },
  );
  const tokens = new TokenBook();
  tokens.add(await verifyToken(TOKEN.bytes, await tokenExpectations(), crypto));
  return {
    name: "signed",
    shape: "frame",
    seeds: [...bytesOf("signed"), ...corpusOf("signed")],
    async read(bytes) {
      const frame = readFrame(bytes);
      await openSigned(frame, readSignedHeader(frame.header), {
        ...{
          project,
          from: siteName,
          to: "hub",
          sid,
          direction: 0 as const,
          tokens,
          seen: new SeenMessages(),
        },
        ...{ verifyingKey, nowMs, crypto },
      });
      requireOneOf([valid], bytes);
      return "SIGNED";
    },
  };
}

async function object(): Promise<FuzzTarget> {
  const { user, root, project, nowMs: validMs } = PARTICIPANTS;
  const { nowMs, frame: valid } = OBJECT;
  const chains = new ChainDirectory({ project, root }, { crypto });
  await chains.add(user, validMs);
  return {
    name: "object",
    shape: "frame",
    seeds: [...bytesOf("objects"), ...corpusOf("object")],
    async read(bytes) {
      const replay = memoryReplayStore({ clock: systemClock() });
      const verifier = new ObjectVerifier(
        { project, self: "hub", rules: DEFAULT_OBJECT_RULES },
        { crypto, chains, replay },
      );
      await verifier.open(bytes, nowMs);
      requireOneOf([valid], bytes);
      return "OBJECT";
    },
  };
}

async function checkpoint(): Promise<FuzzTarget> {
  const { site, siteName: from, root, project, nowMs } = PARTICIPANTS;
  const { verifyingKey } = await verifyChain(site, { root, project, usage: "client", nowMs }, { crypto });
  const { frame: valid, sid, hash, count } = CHECKPOINT;
  return {
    name: "checkpoint",
    shape: "frame",
    seeds: [...bytesOf("checkpoints"), ...corpusOf("checkpoint")],
    async read(bytes) {
      const frame = readFrame(bytes);
      if (frame.kind !== FRAME_KIND.checkpoint) return "another frame";
      const expected = { project, from, to: "hub", sid, direction: 0, count, hash } as const;
      await openCheckpoint(frame, expected, { verifyingKey, crypto });
      requireOneOf([valid], bytes);
      return "CHECKPOINT";
    },
  };
}
