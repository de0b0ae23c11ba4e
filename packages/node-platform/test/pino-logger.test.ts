import { WireError } from "@photinus/core/errors";
import { hasNativeMasking, pinoLogger } from "@photinus/node-platform";
import { expect, test } from "vitest";

function aLogger(level?: "debug" | "info") {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  return { lines, logger: pinoLogger(level === undefined ? { stream } : { stream, level }) };
}

test("writes one JSON line with its fields", () => {
  const { lines, logger } = aLogger();

  logger.info("round committed", { round: 3, site: "site-1" });

  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 30,
    msg: "round committed",
    round: 3,
    site: "site-1",
  });
});

test("replaces the values of fields with secret names", () => {
  const { lines, logger } = aLogger();

  logger.warn("login", { token: "tttt", passphrase: "pppp", privateKey: "kkkk", site: "site-1" });

  expect(lines[0]).not.toMatch(/tttt|pppp|kkkk/);
  expect(JSON.parse(lines[0]!)).toMatchObject({ token: "[redacted]", site: "site-1" });
});

test("logs an error with its code and its local causes", () => {
  const { lines, logger } = aLogger();
  const cause = new Error("socket hang up");

  logger.error("connection lost", new WireError("ERR_CONNECTION_LOST", "site-1 vanished", { cause }));

  expect(JSON.parse(lines[0]!)).toMatchObject({
    error: { errorCode: "ERR_CONNECTION_LOST", message: "site-1 vanished" },
    causes: [{ message: "socket hang up" }],
  });
});

test("stops at a chain of causes that has no end", () => {
  const { lines, logger } = aLogger();
  const error = new Error("loop");
  error.cause = error;

  logger.error("failed", error);

  expect(JSON.parse(lines[0]!).causes).toHaveLength(4);
});

test("writes debug lines only when asked", () => {
  const quiet = aLogger();
  const loud = aLogger("debug");

  quiet.logger.debug("detail");
  loud.logger.debug("detail");

  expect([quiet.lines.length, loud.lines.length]).toEqual([0, 1]);
});

test("reports the fallback of masking when the native one is switched off", () => {
  expect(hasNativeMasking({ WS_NO_BUFFER_UTIL: "1" })).toBe(false);
});
