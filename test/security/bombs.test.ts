import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { builtInDecomposers, createRegistry, type Decomposer, encode } from "@photinus/core/decomposer";
import { writeMessage } from "@photinus/core/envelope";
import { on } from "@photinus/core/session";
import { nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { hostileClient } from "../../packages/core/test/session/hostile-client.ts";
import { note } from "../../packages/core/test/session/messages.ts";
import { aVictimsProject } from "./equipment/a-victim.ts";
import { allBombs } from "./equipment/bombs.ts";

/** Memory by which all bombs together may raise a process, the garbage of its heap included, in MiB. */
const CEILING_MIB = 64;
/** The same for the heaviest message that is allowed, whose sender has proved who he is. */
const HEAVIEST_MIB = 192;

interface Outcome {
  readonly name: string;
  readonly outcome: string;
  readonly risenMiB: number;
}

/** Reads all bombs in a process of its own, whose heap is bounded as well. */
async function readInAProcess(): Promise<readonly Outcome[]> {
  const script = fileURLToPath(new URL("equipment/bomb-process.ts", import.meta.url));
  const options = ["--conditions=@photinus/source", "--import", "tsx", "--max-old-space-size=256"];
  const { stdout } = await promisify(execFile)(process.execPath, [...options, script]);
  return stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Outcome); // written by bomb-process.ts
}

test("bombs of MessagePack, DER and manifests are refused, and memory stays under its ceiling", async () => {
  const outcomes = await readInAProcess();
  const bombs = outcomes.slice(0, -1);
  const heaviest = outcomes.at(-1);

  expect(bombs.map(({ name }) => name)).toEqual(allBombs().map(({ name }) => name));
  for (const { name, outcome } of bombs) expect(outcome, name).toMatch(/^ERR_[A-Z_]+$/);
  expect(bombs.at(-1)?.risenMiB).toBeLessThan(CEILING_MIB);
  // What is taken does cost something: the figures above are not those of a measure that measures nothing.
  expect(heaviest?.outcome).toBe("taken");
  expect(heaviest?.risenMiB).toBeGreaterThan(bombs.at(-1)?.risenMiB ?? 0);
  expect(heaviest?.risenMiB).toBeLessThan(HEAVIEST_MIB);
}, 60_000);

/** A value whose decoding is counted. */
class Counted {}

test("messages that wait for their handler wait as they came, and are decoded one by one in their turn", async () => {
  let decoded = 0;
  const counted: Decomposer<Counted> = {
    ...{ id: 1234, name: "Counted", type: Counted },
    decompose: () => 0,
    compose() {
      decoded += 1;
      return new Counted();
    },
  };
  const registry = createRegistry([...builtInDecomposers(), counted]);
  const crypto = nodeCrypto();
  const project = await aVictimsProject();
  let release: () => void = () => undefined;
  const blocked = new Promise<void>((resolve) => {
    release = resolve;
  });
  const client = await hostileClient(
    project,
    { routes: [on(note, () => blocked)] },
    { crypto, modules: { registry } },
  );
  await client.sendInner(client.message("holds the handler"));
  const payload = encode(
    Array.from({ length: 1000 }, () => new Counted()),
    registry,
  );

  for (let index = 0; index < 10; index++) {
    const header = {
      type: note.type,
      messageId: crypto.randomBytes(16),
      inReplyTo: undefined,
      scope: undefined,
    };
    await client.sendInner(writeMessage({ ...header, tokenRef: client.tokenRef }, payload));
  }
  await client.clock.settle();
  expect(decoded).toBe(0);

  release();
  await client.clock.settle();
  expect(decoded).toBe(10_000);
  expect((await client.replies()).map(({ code }) => code)).toEqual(Array(10).fill("ERR_MESSAGE_MALFORMED"));
});
