import { seededRandom } from "@photinus/core/testing";
import { expect, test } from "vitest";

test("the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: number): string => seededRandom(seed).bytes(16).join(",");

  expect(draw(1)).toBe(draw(1));
  expect(draw(1)).not.toBe(draw(2));
});

test("a fork does not depend on what was drawn before", () => {
  const one = seededRandom("seed");
  const other = seededRandom("seed");
  other.bytes(100);

  expect(one.fork("site-1").uniform()).toBe(other.fork("site-1").uniform());
  expect(one.fork("site-1").uniform()).not.toBe(one.fork("site-2").uniform());
});

test("integers are uniform below their bound", () => {
  const random = seededRandom(7);
  const counts = [0, 0, 0, 0, 0];
  for (let draw = 0; draw < 5000; draw++) counts[random.integer(5)]! += 1;

  // 5 000 draws, p = 0.2: one standard deviation is 28; 150 is more than five of them.
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
});
