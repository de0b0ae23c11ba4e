import { HostError } from "@photinus/core/errors";
import { expect, test } from "vitest";
import { choosePort } from "../../src/demo/free-port.ts";
import { canOpenBrowser } from "../../src/demo/open-browser.ts";

const desk = { isTerminal: true, environment: { DISPLAY: ":0" }, platform: "linux" } as const;

test("a browser is opened only where a person would see it", () => {
  expect(canOpenBrowser(desk)).toBe(true);
  expect(canOpenBrowser({ ...desk, environment: {}, platform: "darwin" })).toBe(true);
  expect(canOpenBrowser({ ...desk, isTerminal: false })).toBe(false);
  expect(canOpenBrowser({ ...desk, environment: {} })).toBe(false);
  expect(canOpenBrowser({ ...desk, environment: { DISPLAY: ":0", CI: "true" } })).toBe(false);
  expect(canOpenBrowser({ ...desk, environment: { DISPLAY: ":0", SSH_CONNECTION: "1 2 3 4" } })).toBe(false);
});

function taken(...ports: number[]) {
  return async (port: number): Promise<number> => {
    if (ports.includes(port)) throw new HostError("ERR_PORT_IN_USE", `port ${port} is in use`);
    return port;
  };
}

test("the demo takes port 8080, else the next free one", async () => {
  expect(await choosePort(undefined, taken())).toBe(8_080);
  expect(await choosePort(undefined, taken(8_080, 8_081))).toBe(8_082);
});

test("an explicit port that is in use is an error", async () => {
  await expect(choosePort(9_000, taken(9_000))).rejects.toMatchObject({ code: "ERR_PORT_IN_USE" });
});

test("any other failure is not tried again at the next port", async () => {
  const tried: number[] = [];

  const start = choosePort(undefined, async (port) => {
    tried.push(port);
    throw new HostError("ERR_ADDRESS_UNUSABLE", "no such address");
  });

  await expect(start).rejects.toMatchObject({ code: "ERR_ADDRESS_UNUSABLE" });
  expect(tried).toEqual([8_080]);
});
