import { PhotinusError, WireError } from "@photinus/core/errors";
import { expect, test } from "vitest";

test("an error carries its code, its area's name and its message", () => {
  const error = new WireError("ERR_AUTH_FAILED", "expected the server's certificate");

  expect(error).toBeInstanceOf(PhotinusError);
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({
    name: "WireError",
    code: "ERR_AUTH_FAILED",
    message: "expected the server's certificate",
  });
});

test("an error keeps the cause it was given", () => {
  const cause = new RangeError("first");

  expect(new WireError("ERR_INTERNAL", "then", { cause }).cause).toBe(cause);
});

test("an error without a cause has no cause property", () => {
  expect(Object.hasOwn(new WireError("ERR_INTERNAL", "alone"), "cause")).toBe(false);
});
