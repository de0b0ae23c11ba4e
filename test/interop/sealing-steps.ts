import { type Bytes, concatBytes, fromHex, toHex } from "@photinus/core/bytes";
import { builtInRegistry, decode, encode } from "@photinus/core/decomposer";
import { ChainDirectory, memoryReplayStore } from "@photinus/core/envelope";
import type { CryptoProvider } from "@photinus/core/platform";
import { KeyPackageBook, KeyRing, openFrom, type SealedManifest, sealFor } from "@photinus/core/sealing";
import { bytesSink, bytesSource, chunkCount, chunkLength } from "@photinus/core/stream";
import { TEST_EPOCH_MS, testProject, virtualClock } from "@photinus/core/testing";
import type { Party } from "./party.ts";

const PROJECT = "interop";
const JOB = "00112233445566778899aabbccddeeff";
const registry = builtInRegistry();
const pack = (value: unknown): string => toHex(encode(value, registry));
const unpack = <T>(hex: string): T => decode(fromHex(hex), registry) as T; // both ends are this file

interface PublishedKey {
  readonly root: Bytes;
  readonly chain: readonly Bytes[];
  readonly object: Bytes;
}

interface Sealed {
  readonly root: Bytes;
  readonly chain: readonly Bytes[];
  readonly manifest: SealedManifest;
  readonly ciphertext: Bytes;
}

const clock = virtualClock({ startMs: TEST_EPOCH_MS });

/** The certificates of the other runtime, under the root that it made. */
async function chainsOf(
  crypto: CryptoProvider,
  { root, chain }: { readonly root: Bytes; readonly chain: readonly Bytes[] },
): Promise<ChainDirectory> {
  const chains = new ChainDirectory({ project: PROJECT, root }, { crypto });
  await chains.add(chain, TEST_EPOCH_MS);
  return chains;
}

/** Content sealed end to end by one runtime for the other. */
export async function sealingSteps(crypto: CryptoProvider): Promise<Party> {
  const { root, sites } = await testProject({ project: PROJECT, crypto, sites: ["writer", "reader"] });
  const [writer, reader] = [sites.get("writer"), sites.get("reader")];
  if (writer === undefined || reader === undefined) throw new TypeError("a test project has its sites");
  const ring = new KeyRing({}, { identity: reader, crypto, clock });
  const der = root.certificate.der;
  return {
    publishKey: async () =>
      pack({ root: der, chain: [...reader.participant.chain], object: await ring.publish() }),
    sealFor: async (input) => {
      const [published, bytes] = unpack<[PublishedKey, Bytes]>(input);
      const chains = await chainsOf(crypto, published);
      const packages = new KeyPackageBook({ project: PROJECT, self: "writer" }, { crypto, clock, chains });
      await packages.accept(published.object);
      const content = { job: JOB, round: 7, source: bytesSource(bytes), totalBytes: bytes.length };
      const sealed = await sealFor(
        ["reader"],
        { ...content, chunkBytes: 65_536, norm: 1.5, exampleCount: 12 },
        { identity: writer, packages, crypto, clock },
      );
      const { stream } = sealed.manifest;
      const chunks: Bytes[] = [];
      for (let index = 0; index < chunkCount(stream); index++) {
        chunks.push(await sealed.source.read(index * stream.chunkBytes, chunkLength(stream, index)));
      }
      const { manifest } = sealed;
      return pack({
        root: der,
        chain: [...writer.participant.chain],
        manifest: { ...manifest, keys: [...manifest.keys] },
        ciphertext: concatBytes(...chunks),
      });
    },
    openFrom: async (input) => {
      const { manifest, ciphertext, ...sender } = unpack<Sealed>(input);
      const chains = await chainsOf(crypto, sender);
      const modules = { self: reader.participant, keys: ring, chains, crypto, clock };
      const opening = await openFrom(
        "writer",
        manifest,
        { job: JOB, round: 7, maximumBytes: 2 ** 24 },
        { ...modules, replay: memoryReplayStore({ clock }) },
      );
      const { sink, bytes } = bytesSink(opening.statement.totalBytes);
      const into = opening.into(sink);
      const { chunkBytes } = manifest.stream;
      for (let offset = 0; offset < ciphertext.length; offset += chunkBytes) {
        await into.write(offset, ciphertext.slice(offset, offset + chunkBytes));
      }
      const { norm, exampleCount } = await opening.finish();
      return `${norm} ${exampleCount} ${toHex(bytes)}`;
    },
    packForSealing: async (input) => {
      const [published = "", content = ""] = input.split(" ");
      return pack([unpack(published), fromHex(content)]);
    },
  };
}
