import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { askConfirmation, askSecret } from "../src/project/ask-secret.ts";

/** A person at a terminal who types, once asked. */
function person(typed: string) {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const output = Object.assign(new PassThrough(), { isTTY: true });
  let shown = "";
  output.on("data", (piece: Buffer) => {
    if (shown === "") setImmediate(() => input.write(typed));
    shown += piece.toString("utf8");
  });
  return { streams: { input, output }, shown: () => shown };
}

test("a passphrase that is typed is taken, and nothing of it is shown, its length included", async () => {
  const [short, long] = [person("a\r"), person("correct horse battery\r")];

  expect(await askSecret("Passphrase", short.streams)).toBe("a");
  expect(await askSecret("Passphrase", long.streams)).toBe("correct horse battery");

  expect(short.shown()).toContain("Passphrase");
  expect(long.shown()).not.toMatch(/correct|horse|[•*▪]{2}/);
});

test("a person who ends it gives no passphrase and confirms nothing", async () => {
  const cancelled = { code: "ERR_CANCELLED" };

  await expect(askSecret("Passphrase", person("\u0003").streams)).rejects.toMatchObject(cancelled);
  await expect(askConfirmation("Right?", person("\u0003").streams)).rejects.toMatchObject(cancelled);
});

test("who only presses Enter has not confirmed", async () => {
  expect(await askConfirmation("Right?", person("\r").streams)).toBe(false);
  expect(await askConfirmation("Right?", person("y").streams)).toBe(true);
});

test("without a terminal nobody is asked", async () => {
  const streams = { input: new PassThrough(), output: new PassThrough() };

  expect(await askSecret("Passphrase", streams)).toBeUndefined();
  expect(await askConfirmation("Right?", streams)).toBeUndefined();
});
