import { expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import { FrameCache, type FrameGroup } from "../../src/job/frame-cache.ts";

const BYTES = 1_000;

/** A cache, and the memories that its reads were given, in order. */
function aCache() {
  const cache = new FrameCache();
  const memories: Bytes[] = [];
  const read = async (memory: Bytes): Promise<readonly Bytes[]> => {
    memories.push(memory);
    return [memory];
  };
  const take = (name: string, byteLength = BYTES): FrameGroup => cache.take(name, byteLength, read);
  return { cache, memories, take };
}

test("readers who are about as far share a read", () => {
  const { memories, take } = aCache();

  expect(take("a/0")).toBe(take("a/0"));
  expect(memories).toHaveLength(1);
});

test("a whole blob is sent in the memory of nine reads, whatever its size", () => {
  const { cache, memories, take } = aCache();

  for (let number = 0; number < 100; number++) cache.release(take(`a/${number}`));

  expect(memories).toHaveLength(100);
  expect(new Set(memories).size).toBe(9);
});

test("memory that a socket still holds is given to nobody else", () => {
  const { cache, memories, take } = aCache();
  const [held] = [take("a/0"), take("a/1")].map(({ memory }) => memory);

  for (let number = 2; number < 100; number++) cache.release(take(`a/${number}`));

  expect(memories.filter((memory) => memory === held)).toHaveLength(1);
});

test("memory that one of two sockets still holds is given to nobody else", () => {
  const { cache, memories, take } = aCache();
  const group = take("a/0");
  take("a/0");
  cache.release(group);

  for (let number = 1; number < 100; number++) cache.release(take(`a/${number}`));

  expect(memories.filter((memory) => memory === group.memory)).toHaveLength(1);
});

test("memory of another size is not used", () => {
  const { cache, memories, take } = aCache();
  for (let number = 0; number < 20; number++) cache.release(take(`a/${number}`));
  for (let number = 0; number < 20; number++) cache.release(take(`b/${number}`, 2 * BYTES));

  expect(memories.slice(20).every(({ byteLength }) => byteLength === 2 * BYTES)).toBe(true);
});

test("after a burst of slow sockets the memory of eight reads lies ready beside the eight that are kept, and no more", () => {
  const { cache, memories, take } = aCache();
  const groups = Array.from({ length: 100 }, (_, number) => take(`a/${number}`));
  for (const group of groups) cache.release(group);

  for (let number = 0; number < 20; number++) take(`b/${number}`);

  expect(new Set(memories).size).toBe(100 + 20 - 16);
});

test("a read that failed is tried again by the next reader", async () => {
  const cache = new FrameCache();
  const broken = cache.take("a/0", BYTES, () => Promise.reject(new Error("the disk is away")));
  await expect(broken.frames).rejects.toThrow("the disk is away");

  const again = cache.take("a/0", BYTES, async (memory) => [memory]);

  expect(await again.frames).toHaveLength(1);
});
