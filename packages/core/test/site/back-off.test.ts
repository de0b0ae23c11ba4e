import { describe, expect, test } from "vitest";
import { backOffMs, isPermanentRefusal } from "../../src/site/back-off.ts";

const options = { firstMs: 500, longestMs: 30_000, refusedMs: 300_000 };
const low = { bytes: (length: number) => new Uint8Array(length) };
const high = { bytes: (length: number) => new Uint8Array(length).fill(255) };

describe("the wait before another attempt", () => {
  test("doubles with each failure up to the longest, half of it at random", () => {
    const fulls = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
    fulls.forEach((full, index) => {
      expect(backOffMs(index + 1, "ERR_CONNECTION_LOST", { ...options, random: low })).toBe(full / 2);
      expect(backOffMs(index + 1, "ERR_CONNECTION_LOST", { ...options, random: high })).toBeCloseTo(full, -1);
    });
  });

  test.each(["ERR_AUTH_FAILED", "ERR_SUPERSEDED", "ERR_CERTIFICATE_EXPIRED", "ERR_FORBIDDEN"] as const)(
    "is long from the first time after %s, which only people can repair",
    (code) => {
      expect(isPermanentRefusal(code)).toBe(true);
      expect(backOffMs(1, code, { ...options, random: low })).toBe(150_000);
    },
  );

  test("is never shorter than the server asked for, and up to half as long again", () => {
    const asked = { ...options, retryAfterMs: 20_000 };

    expect(backOffMs(1, "ERR_GOING_AWAY", { ...asked, random: low })).toBe(20_000);
    expect(backOffMs(1, "ERR_BUSY", { ...asked, random: high })).toBeCloseTo(30_000, -1);
    expect(backOffMs(9, "ERR_BUSY", { ...asked, retryAfterMs: 1000, random: high })).toBeCloseTo(30_000, -1);
  });

  test("is spread over the time that the server gave, when all its sites lose it at once", () => {
    const spread = { ...options, returnMs: 20_000 };

    expect(backOffMs(1, "ERR_CONNECTION_LOST", { ...spread, random: low })).toBe(250);
    expect(backOffMs(1, "ERR_CONNECTION_LOST", { ...spread, random: high })).toBeCloseTo(20_000, -1);
    expect(backOffMs(1, "ERR_GOING_AWAY", { ...spread, random: high })).toBeCloseTo(500, -1);
  });

  test("stays finite after any number of failures", () => {
    expect(backOffMs(1e6, "ERR_BUSY", { ...options, random: low })).toBe(15_000);
  });
});
