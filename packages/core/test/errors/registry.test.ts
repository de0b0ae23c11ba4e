import { describeError, ERRORS, type ErrorCode, errorCodeOfWire, isErrorCode } from "@photinus/core/errors";
import { expect, test } from "vitest";

const CODES = Object.keys(ERRORS) as ErrorCode[];

test("every code is written ERR_AREA_FAULT", () => {
  expect(CODES.filter((code) => !/^ERR(?:_[A-Z0-9]+)+$/.test(code))).toEqual([]);
});

test("every code has an action of the receiver", () => {
  const actions = ["reject", "drop", "close", "back-off", "stop"];

  expect(CODES.filter((code) => !actions.includes(describeError(code).action))).toEqual([]);
});

test("every code has a remedy that is one sentence for a person", () => {
  const isSentence = (remedy: string): boolean => remedy.length >= 15 && /^[A-Z].*\.$/s.test(remedy);

  expect(CODES.filter((code) => !isSentence(describeError(code).remedy))).toEqual([]);
});

test("wire numbers are unique and are private WebSocket close codes", () => {
  const wires = CODES.flatMap((code) => describeError(code).wire ?? []);

  expect(new Set(wires).size).toBe(wires.length);
  expect(wires.filter((wire) => !Number.isInteger(wire) || wire < 4000 || wire > 4999)).toEqual([]);
});

test("a wire number leads back to its code", () => {
  for (const code of CODES) {
    const { wire } = describeError(code);
    if (wire !== undefined) expect(errorCodeOfWire(wire)).toBe(code);
  }
});

test("a wire number that no version defines stands for no code", () => {
  expect(errorCodeOfWire(4999)).toBeUndefined();
  expect(errorCodeOfWire(Number.NaN)).toBeUndefined();
});

test("a name of Object's prototype is no code", () => {
  expect(isErrorCode("ERR_AUTH_FAILED")).toBe(true);
  expect(["constructor", "__proto__", "toString", ""].filter(isErrorCode)).toEqual([]);
});
