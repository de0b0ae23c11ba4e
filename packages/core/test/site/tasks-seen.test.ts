import { expect, test } from "vitest";
import { TasksSeen } from "../../src/site/tasks-seen.ts";

const id = (value: number): Uint8Array<ArrayBuffer> => new Uint8Array(16).fill(value);
const digest = (value: number): Uint8Array<ArrayBuffer> => new Uint8Array(32).fill(value);

test("a task that comes again is the same, and another one under its id is refused as replayed", () => {
  const seen = new TasksSeen();
  seen.require(id(1), digest(1));

  seen.require(id(1), digest(1));
  seen.require(id(2), digest(2));

  const replayed = expect.objectContaining({ code: "ERR_ENVELOPE_REPLAYED" });
  expect(() => seen.require(id(1), digest(2))).toThrow(replayed);
  expect(() => seen.require(id(3), undefined)).toThrow(replayed); // nobody signed it
});
