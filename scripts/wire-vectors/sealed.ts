import { type Bytes, fromHex, toHex } from "../../packages/core/src/bytes/index.ts";
import { ChainDirectory, memoryReplayStore } from "../../packages/core/src/envelope/index.ts";
import {
  KeyPackageBook,
  KeyRing,
  openFrom,
  type SealedManifest,
  sealFor,
  type WrappedKey,
} from "../../packages/core/src/sealing/index.ts";
import { bytesSink, bytesSource } from "../../packages/core/src/stream/index.ts";
import { virtualClock } from "../../packages/core/src/testing/index.ts";
import { agreementPublicKey, type FixedCrypto } from "./fixed-crypto.ts";
import { NOW_MS, type Participants, PROJECT, participants } from "./participants.ts";
import { wireCodeOfRefusal } from "./refusal.ts";

const JOB = "0123456789abcdef0123456789abcdef";
const ROUND = 3;
const SENDER = "site-1";
const content: Bytes = Uint8Array.from({ length: 300 }, (_, index) => (index * 7) & 0xff);

interface Sealed {
  readonly people: Participants;
  readonly ring: KeyRing;
  readonly recipient: FixedCrypto;
  readonly keyPackage: Bytes;
  readonly manifest: SealedManifest;
  readonly ciphertext: Bytes;
}

async function chainsOf({ fixed, project, site, enrolledSite }: Participants): Promise<ChainDirectory> {
  const root = project.root.certificate.der;
  const chains = new ChainDirectory({ project: PROJECT, root }, { crypto: fixed.crypto });
  for (const { participant } of [site, enrolledSite]) await chains.add(participant.chain, NOW_MS);
  return chains;
}

async function sealed(): Promise<Sealed> {
  const people = await participants();
  const clock = virtualClock({ startMs: NOW_MS });
  const recipient = people.fixed.fork("recipient");
  const ring = new KeyRing({}, { identity: people.enrolledSite, crypto: recipient.crypto, clock });
  const keyPackage = await ring.publish();
  const sender = people.fixed.fork("sender");
  const packages = new KeyPackageBook(
    { project: PROJECT, self: SENDER },
    { crypto: sender.crypto, clock, chains: await chainsOf(people) },
  );
  await packages.accept(keyPackage);
  const { manifest, source } = await sealFor(
    ["guest-1"],
    {
      job: JOB,
      round: ROUND,
      source: bytesSource(content),
      totalBytes: content.length,
      chunkBytes: 65_536,
      tensors: [{ name: "w", dtype: "f32", shape: [75], offset: 0 }],
      norm: 1.5,
      exampleCount: 60,
    },
    { identity: people.site, packages, crypto: sender.crypto, clock },
  );
  const ciphertext = await source.read(0, manifest.stream.totalBytes);
  return { people, ring, recipient, keyPackage, manifest, ciphertext };
}

/** Where something is opened. */
interface Reading {
  readonly round?: number;
  readonly from?: string;
  readonly manifest?: SealedManifest;
  readonly ciphertext?: Bytes;
}

async function read(made: Sealed, other: Reading): Promise<Bytes> {
  const { people, ring } = made;
  const { manifest, ciphertext, from = SENDER, round = ROUND } = { ...made, ...other };
  const clock = virtualClock({ startMs: NOW_MS });
  const opening = await openFrom(
    from,
    manifest,
    { job: JOB, round, maximumBytes: 2 ** 24 },
    {
      self: people.enrolledSite.participant,
      keys: ring,
      chains: await chainsOf(people),
      replay: memoryReplayStore({ clock }),
      crypto: people.fixed.crypto,
      clock,
    },
  );
  const { sink, bytes } = bytesSink(opening.statement.totalBytes);
  await opening.into(sink).write(0, ciphertext.slice());
  await opening.finish();
  return bytes;
}

function turned(bytes: Bytes, at: number): Bytes {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

const withKey = (manifest: SealedManifest, change: Partial<WrappedKey>): SealedManifest => ({
  ...manifest,
  keys: manifest.keys.map((key) => ({ ...key, ...change })),
});

const manifestHex = ({ stream, statement, keys }: SealedManifest): object => ({
  stream: {
    streamId: toHex(stream.streamId),
    chunkBytes: stream.chunkBytes,
    totalBytes: stream.totalBytes,
    leaves: toHex(stream.leaves),
    root: toHex(stream.root),
  },
  statement: toHex(statement),
  keys: keys.map(({ to, packageId, encapsulated, wrapped }) => ({
    to,
    packageId: toHex(packageId),
    encapsulated: toHex(encapsulated),
    wrapped: toHex(wrapped),
  })),
});

/** Content that the site sealed for the enrolled site, with the key package and its private key. */
export async function sealedVectors(): Promise<object> {
  const made = await sealed();
  const opened = await read(made, {});
  if (toHex(opened) !== toHex(content)) throw new Error("what was sealed opens as something else");
  const { manifest } = made;
  const [privateKey] = made.recipient.agreementKeys;
  if (privateKey === undefined) throw new Error("a key package has a key");
  const cases: readonly (readonly [string, Reading])[] = [
    ["in another round", { round: 4 }],
    ["as that of another sender", { from: "guest-1" }],
    ["for somebody else", { manifest: withKey(manifest, { to: "site-2" }) }],
    ["with another key package", { manifest: withKey(manifest, { packageId: fromHex("00".repeat(16)) }) }],
    [
      "with a bit of the wrapped key turned",
      { manifest: withKey(manifest, { wrapped: turned(manifest.keys[0]?.wrapped ?? content, 0) }) },
    ],
    [
      "with a bit of the statement turned",
      { manifest: { ...manifest, statement: turned(manifest.statement, 40) } },
    ],
  ];
  return {
    about:
      "Content that site-1 sealed for guest-1 (participants.json): its key package, an OBJECT of type 3, and the X25519 key of it; the outer manifest; the one ciphertext chunk; the plaintext, byte i is 7 i modulo 256. refused: readings with the code of the refusal.",
    project: PROJECT,
    nowMs: NOW_MS,
    job: JOB,
    round: ROUND,
    from: SENDER,
    keyPackage: toHex(made.keyPackage),
    privateKey: toHex(privateKey),
    publicKey: toHex(agreementPublicKey(privateKey)),
    manifest: manifestHex(manifest),
    ciphertext: toHex(made.ciphertext),
    plaintext: toHex(content),
    refused: await Promise.all(
      cases.map(async ([name, other]) => ({
        name,
        round: other.round ?? ROUND,
        from: other.from ?? SENDER,
        manifest: manifestHex(other.manifest ?? manifest),
        code: await wireCodeOfRefusal(name, () => read(made, other)),
      })),
    ),
  };
}
