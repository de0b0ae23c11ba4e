import { expect, test } from "vitest";
import { releaseMemory } from "../src/release-memory.ts";

const CHUNK = 262_144;

test("frees a buffer at once", () => {
  const before = process.memoryUsage().arrayBuffers;
  for (let index = 0; index < 400; index++) releaseMemory(new Uint8Array(CHUNK));

  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * CHUNK);
});

test("leaves a buffer alone of which it was given a part, that is small, or that nobody can move", () => {
  const whole = new Uint8Array(CHUNK).fill(5);
  const small = new Uint8Array(100).fill(5);
  const pooled = Buffer.from("of the pool of Node");
  const webAssembly = new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer);

  releaseMemory(whole.subarray(0, CHUNK - 1));
  releaseMemory(small);
  releaseMemory(new Uint8Array(pooled.buffer as ArrayBuffer));
  releaseMemory(webAssembly);

  expect([whole.byteLength, small.byteLength, webAssembly.byteLength]).toEqual([CHUNK, 100, 65_536]);
  expect(pooled.toString()).toBe("of the pool of Node");
});
