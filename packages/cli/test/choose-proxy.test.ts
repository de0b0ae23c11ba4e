import { expect, test } from "vitest";
import { chooseProxy } from "../src/choose-proxy.ts";

const environment = { HTTPS_PROXY: "http://anna:secret@proxy.example:3128" };
const url = "wss://fl.example/ws";

test("takes the proxy of the environment where no option says otherwise", () => {
  expect(chooseProxy(undefined, environment)(url)).toBe(environment.HTTPS_PROXY);
  expect(chooseProxy(undefined, {})(url)).toBeUndefined();
});

test("takes the option before the environment, and none for none", () => {
  expect(chooseProxy("http://other.example:1", environment)(url)).toBe("http://other.example:1");
  expect(chooseProxy("none", environment)(url)).toBeUndefined();
});

test("refuses an option that is no address of a proxy before anything connects", () => {
  expect(() => chooseProxy("proxy.example:3128", environment)).toThrow(
    expect.objectContaining({ code: "ERR_CONFIG_INVALID" }) as Error,
  );
});
