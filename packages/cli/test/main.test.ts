import { expect, test } from "vitest";
import { main } from "../src/main.ts";
import { capturedStreams } from "./captured-streams.ts";

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { texts, streams } = capturedStreams();
  const code = await main(args, { streams });
  return { code, ...texts };
}

test("--help lists the commands and ends with 0", async () => {
  const { code, out } = await run("--help");

  expect(code).toBe(0);
  for (const command of ["demo", "server", "site", "audit", "kit"]) expect(out).toContain(command);
});

test("--version prints the version of the package and ends with 0", async () => {
  expect(await run("--version")).toEqual({ code: 0, out: "0.1.0\n", err: "" });
});

test.each([
  ["an unknown command", ["train"]],
  ["an unknown option", ["demo", "--round", "3"]],
  ["a number that is none", ["demo", "--rounds", "3x"]],
  ["a number out of bounds", ["demo", "--rounds", "0"]],
  ["a port that does not exist", ["demo", "--port", "65536"]],
  [
    "a time to come back of no length",
    ["server", "start", "--kit", "k", "--state", "s", "--reconnect-grace", "0"],
  ],
  ["a model that does not exist", ["demo", "--model", "gpt"]],
  ["an option without its value", ["demo", "--rounds"]],
  ["a missing option", ["server", "start"]],
  ["a proxy without an address", ["server", "start", "--kit", "k", "--state", "s", "--trusted-proxy", "hub"]],
  ["an argument too many", ["kit", "verify", "a", "b"]],
])("%s ends with 4 and says where help is", async (_case, args) => {
  const { code, out, err } = await run(...args);

  expect(code).toBe(4);
  expect(out).toBe("");
  expect(err).toContain("error:");
  expect(err).toContain("photinus --help");
});

test("listens to signals only while a command runs", async () => {
  const before = process.listenerCount("SIGINT");

  await run("--help");

  expect(process.listenerCount("SIGINT")).toBe(before);
});
