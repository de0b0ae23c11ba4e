import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import { durationUpTo, integerFrom, jobId } from "../src/arguments.ts";

const DAY_MS = 86_400_000;

describe("a time, such as --expires and --for take,", () => {
  const upToWeek = durationUpTo(7 * DAY_MS);

  test.each([
    ["1m", 60_000],
    ["90m", 5_400_000],
    ["12h", 43_200_000],
    ["7d", 7 * DAY_MS],
    ["168h", 7 * DAY_MS],
  ])("is read with its unit: %s", (text, ms) => {
    expect(upToWeek(text)).toBe(ms);
  });

  test.each([
    ...[
      "",
      "7",
      "d",
      "0h",
      "00d",
      "-1h",
      "+1h",
      "1.5h",
      "1e3m",
      "1 h",
      " 1h",
      "1h ",
      "1H",
      "1w",

      "0x1h",
    ],
    ...["8d", "169h", "99999d", "100000m", "999999999999999999999h", "Infinityd", "NaNm", "1h30m", "١h"],
  ])("is refused: %j", (text) => {
    expect(() => upToWeek(text)).toThrow(InvalidArgumentError);
  });
});

describe("a count, such as --uses and --approvals take,", () => {
  test.each([
    ["1", 1],
    ["2", 2],
    ["010", 10],
    ["10000", 10_000],
  ])("is a whole number within its bounds: %s", (text, count) => {
    expect(integerFrom(1, 10_000)(text)).toBe(count);
  });

  test.each([
    "",
    "0",
    "-1",
    "+1",
    "1.0",
    "1e3",
    "0x1",
    "10001",
    "9007199254740993",
    "1".repeat(400),
    " 1",
    "1 ",
    "one",
  ])("is refused: %j", (text) => {
    expect(() => integerFrom(1, 10_000)(text)).toThrow(InvalidArgumentError);
  });
});

test("the id of a job has 32 hexadecimal digits", () => {
  expect(jobId("0123456789abcdef".repeat(2))).toHaveLength(32);
  for (const text of ["", "latest", "0123456789ABCDEF".repeat(2), `${"0".repeat(32)}\n`, "0".repeat(33)]) {
    expect(() => jobId(text)).toThrow(InvalidArgumentError);
  }
});
