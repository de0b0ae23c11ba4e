import { ChainDirectory, memoryReplayStore, type ObjectReplayStore } from "../../src/envelope/index.ts";
import type { Identity } from "../../src/pki/index.ts";
import { type CryptoProvider, webCrypto } from "../../src/platform/index.ts";
import { KeyPackageBook, KeyRing, type OpenModules, type SealModules } from "../../src/sealing/index.ts";
import {
  TEST_EPOCH_MS,
  type TestProject,
  testProject,
  type VirtualClock,
  virtualClock,
} from "../../src/testing/index.ts";

/** A job id as it stands in messages. */
export const JOB = "00112233445566778899aabbccddeeff";

/** One participant with what it needs to seal and to open. */
export interface Party {
  readonly identity: Identity;
  readonly ring: KeyRing;
  readonly packages: KeyPackageBook;
  readonly chains: ChainDirectory;
  readonly replay: ObjectReplayStore;
  /** Modules of `sealFor`. */
  readonly sealing: SealModules;
  /** Modules of `openFrom`. */
  readonly opening: OpenModules;
}

/** Three sites that know each other's chains and have each other's key packages. */
export interface Parties {
  readonly project: TestProject;
  readonly clock: VirtualClock;
  readonly crypto: CryptoProvider;
  readonly alice: Party;
  readonly bob: Party;
  readonly carol: Party;
}

const NAMES = ["alice", "bob", "carol"] as const;

/** The certificates of all tests of a file. */
export const aProject = (): Promise<TestProject> => testProject({ sites: NAMES });

/** One participant that knows nobody's key package yet. */
export async function aParty(
  identity: Identity,
  project: TestProject,
  { clock, crypto = webCrypto() }: { readonly clock: VirtualClock; readonly crypto?: CryptoProvider },
): Promise<Party> {
  const options = { project: project.project, root: project.root.certificate.der };
  const chains = new ChainDirectory(options, { crypto });
  const everybody = [...project.sites.values(), ...project.users.values(), project.server];
  for (const { participant } of everybody) await chains.add(participant.chain, TEST_EPOCH_MS);
  const ring = new KeyRing({}, { identity, crypto, clock });
  const self = identity.participant;
  const packages = new KeyPackageBook(
    { project: project.project, self: self.name },
    { crypto, clock, chains },
  );
  const replay = memoryReplayStore({ clock });
  const sealing = { identity, packages, crypto, clock };
  const opening = { self, keys: ring, chains, replay, crypto, clock };
  return { identity, ring, packages, chains, replay, sealing, opening };
}

/** See {@link Parties}. */
export async function parties(project: TestProject): Promise<Parties> {
  const clock = virtualClock({ startMs: TEST_EPOCH_MS });
  const make = async (name: string): Promise<Party> => {
    const identity = project.sites.get(name);
    if (identity === undefined) throw new Error(`no site ${name}`);
    return await aParty(identity, project, { clock });
  };
  const [alice, bob, carol] = [await make("alice"), await make("bob"), await make("carol")];
  const all = [alice, bob, carol];
  for (const owner of all) {
    const object = await owner.ring.publish();
    for (const { packages } of all) await packages.accept(object);
  }
  return { project, clock, crypto: webCrypto(), alice, bob, carol };
}
