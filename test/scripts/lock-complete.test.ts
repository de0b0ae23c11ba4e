import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Lock, missingStubs, stubFor } from "../../scripts/lock-complete.ts";
import { ROOT } from "../../scripts/process.ts";

test("the lock names every optional platform package, so that npm ci passes", () => {
  const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")) as Lock;

  expect(Object.keys(missingStubs(lock))).toEqual([]);
});

test("the lock names no registry but the public one", () => {
  const hosts = readFileSync(join(ROOT, "package-lock.json"), "utf8").matchAll(
    /"resolved": "(https?:\/\/[^/]+)/g,
  );

  expect(
    [...new Set(Array.from(hosts, ([, host]) => host))].filter(
      (host) => host !== "https://registry.npmjs.org",
    ),
  ).toEqual([]);
});

test("finds a platform package that the lock leaves out", () => {
  const lock: Lock = {
    packages: {
      "node_modules/tool": { optionalDependencies: { "@tool/cli-win32-arm64": "1.2.3" }, dev: true },
    },
  };

  expect(missingStubs(lock)).toEqual({
    "node_modules/@tool/cli-win32-arm64": {
      version: "1.2.3",
      cpu: ["arm64"],
      dev: true,
      optional: true,
      os: ["win32"],
    },
  });
});

test("accepts a platform package that is locked in a folder above", () => {
  const lock: Lock = {
    packages: {
      "docs/node_modules/tool": { optionalDependencies: { "tool-darwin-x64": "1.0.0" } },
      "node_modules/tool-darwin-x64": { version: "1.0.0" },
    },
  };

  expect(missingStubs(lock)).toEqual({});
});

test("tells the C libraries of Linux apart", () => {
  expect(stubFor("@x/binding-linux-s390x-gnu", "1.0.0", false).libc).toEqual(["glibc"]);
  expect(stubFor("@x/binding-linux-x64-musl", "1.0.0", false).libc).toEqual(["musl"]);
});

test("refuses to stub what names no platform, and what this machine needs itself", () => {
  expect(() => stubFor("bufferutil", "4.1.0", false)).toThrow("names no platform");
  expect(() => stubFor(`x-${process.platform}-${process.arch}`, "1.0.0", false)).toThrow("this machine");
});
