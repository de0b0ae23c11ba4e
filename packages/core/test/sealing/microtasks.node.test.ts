// In Node only: its provider answers at once, as the simulator needs it.
import { nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { ChainDirectory, memoryReplayStore } from "../../src/envelope/index.ts";
import { loadPki } from "../../src/pki/index.ts";
import { KeyPackageBook, KeyRing, openFrom, sealFor } from "../../src/sealing/index.ts";
import { bytesSink, bytesSource, chunkLength } from "../../src/stream/index.ts";
import { afterMicrotasks, TEST_EPOCH_MS, testProject, virtualClock } from "../../src/testing/index.ts";
import { JOB } from "./parties.ts";

test("with a synchronous provider sealing and opening never leave the microtask queue", async () => {
  const crypto = nodeCrypto();
  const clock = virtualClock({ startMs: TEST_EPOCH_MS });
  const { project, root, sites } = await testProject({ crypto, sites: ["alice", "bob"], users: [] });
  const [alice, bob] = [sites.get("alice"), sites.get("bob")];
  if (alice === undefined || bob === undefined) throw new Error("two sites expected");
  const chains = new ChainDirectory({ project, root: root.certificate.der }, { crypto });
  for (const { participant } of [alice, bob]) await chains.add(participant.chain, TEST_EPOCH_MS);
  const ring = new KeyRing({}, { identity: bob, crypto, clock });
  const packages = new KeyPackageBook({ project, self: "alice" }, { crypto, clock, chains });
  const plaintext = new Uint8Array(5000).fill(3);
  const { sink, bytes } = bytesSink(plaintext.length);
  await loadPki();
  let isDone = false;

  const work = async (): Promise<void> => {
    await packages.accept(await ring.publish());
    const content = { job: JOB, round: 1, source: bytesSource(plaintext), totalBytes: plaintext.length };
    const { manifest, source } = await sealFor(["bob"], content, {
      identity: alice,
      packages,
      crypto,
      clock,
    });
    const modules = { self: bob.participant, keys: ring, chains, crypto, clock };
    const opening = await openFrom(
      "alice",
      manifest,
      { job: JOB, round: 1, maximumBytes: 10_000 },
      { ...modules, replay: memoryReplayStore({ clock }) },
    );
    await opening.into(sink).write(0, await source.read(0, chunkLength(manifest.stream, 0)));
    await opening.finish();
    isDone = true;
  };
  const working = work();
  await afterMicrotasks();

  expect(isDone).toBe(true);
  expect(bytes).toEqual(plaintext);
  await working;
});
