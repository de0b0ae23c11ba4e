import { inspect } from "node:util";
import { parseProxy, proxyFromEnvironment } from "@photinus/node-platform";
import { describe, expect, test } from "vitest";

describe("the address of a proxy", () => {
  test("tells host, port and TLS, and name and password for Basic", () => {
    expect(parseProxy("http://proxy.example:3128")).toEqual({
      host: "proxy.example",
      port: 3128,
      secure: false,
      authorization: undefined,
    });
    expect(parseProxy("https://[::1]/")).toMatchObject({ host: "::1", port: 443, secure: true });
    expect(parseProxy("http://proxy.example")).toMatchObject({ port: 80 });
    expect(parseProxy("http://anna:a%3Ab%40c@proxy.example").authorization).toBe(
      `Basic ${Buffer.from("anna:a:b@c").toString("base64")}`,
    );
  });

  test.for(["socks5://proxy:1080", "proxy:3128", "", "http://", "http://proxy/path", "http://proxy/?a=b"])(
    "is refused when it is %j",
    (address) => {
      expect(() => parseProxy(address)).toThrow(
        expect.objectContaining({ code: "ERR_CONFIG_INVALID" }) as Error,
      );
    },
  );

  test.for(["ftp://anna:hunter2@proxy:1", "http://anna:hunter2%ZZ@proxy:1"])(
    "is not repeated when it is refused: it may hold a password (%j)",
    (address) => {
      let fault: unknown;
      try {
        parseProxy(address);
      } catch (error) {
        fault = error;
      }

      expect(fault).toMatchObject({ code: "ERR_CONFIG_INVALID" });
      expect(inspect(fault, { depth: 9 })).not.toContain("hunter2");
    },
  );
});

describe("the proxy of the environment", () => {
  const environment = { HTTPS_PROXY: "http://secure:1", http_proxy: "http://clear:2" };

  test("goes by the scheme of the server, and by the name in lower case first", () => {
    expect(proxyFromEnvironment("wss://fl.example/ws", environment)).toBe("http://secure:1");
    expect(proxyFromEnvironment("ws://fl.example/ws", environment)).toBe("http://clear:2");
    expect(
      proxyFromEnvironment("wss://fl.example/ws", { ...environment, https_proxy: "http://first:3" }),
    ).toBe("http://first:3");
    expect(proxyFromEnvironment("wss://fl.example/ws", { HTTPS_PROXY: "" })).toBeUndefined();
    expect(proxyFromEnvironment("wss://fl.example/ws", {})).toBeUndefined();
  });

  test.for([
    ["fl.example", true],
    ["example", true],
    [".example", true],
    ["*.example", true],
    ["other.test, fl.example", true],
    ["*", true],
    ["fl.example:8443", true],
    ["fl.example:443", false],
    ["xample", false],
    ["l.example", false],
    ["", false],
  ] as const)("leaves out the hosts of NO_PROXY: %j", ([exceptions, isLeftOut]) => {
    const found = proxyFromEnvironment("wss://fl.example:8443/ws", { ...environment, NO_PROXY: exceptions });

    expect(found === undefined).toBe(isLeftOut);
  });

  test("never leads to this machine", () => {
    for (const host of ["localhost:1", "127.0.0.1:1", "127.9.9.9", "[::1]:1"]) {
      expect(proxyFromEnvironment(`wss://${host}/ws`, environment)).toBeUndefined();
    }
  });
});
