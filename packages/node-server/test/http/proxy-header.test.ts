import { type Bytes, concatBytes, fromHex, utf8 } from "@photinus/core/bytes";
import { seededRandom } from "@photinus/core/testing";
import { describe, expect, test } from "vitest";
import { MAX_PROXY_HEADER_BYTES, readProxyHeader } from "../../src/http/proxy-header.ts";

const SIGNATURE = fromHex("0d0a0d0a000d0a515549540a");
/** Version 2, PROXY, TCP over IPv4: 192.0.2.1:1000 to 203.0.113.1:443. */
const V2_IPV4 = concatBytes(SIGNATURE, fromHex("2111000cc0000201cb00710103e801bb"));
const V2_IPV6 = concatBytes(
  SIGNATURE,
  fromHex(`21210024${"20010db8000000000000000000000001".repeat(2)}03e801bb`),
);
const V2_LOCAL = concatBytes(SIGNATURE, fromHex("20000000"));

test.each([
  ["version 1, IPv4", utf8("PROXY TCP4 192.0.2.1 203.0.113.1 1000 443\r\n"), "192.0.2.1"],
  ["version 1, IPv6", utf8("PROXY TCP6 2001:db8::1 2001:db8::2 1000 443\r\n"), "2001:db8::1"],
  ["version 1, unknown", utf8("PROXY UNKNOWN\r\n"), undefined],
  ["version 1, unknown with words", utf8("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), undefined],
  ["version 2, IPv4", V2_IPV4, "192.0.2.1"],
  ["version 2, IPv6", V2_IPV6, "2001:db8:0:0:0:0:0:1"],
  ["version 2, of the proxy itself", V2_LOCAL, undefined],
])("reads %s, and leaves what follows", (_name, header, address) => {
  const bytes = concatBytes(header, utf8("GET / HTTP/1.1\r\n"));

  expect(readProxyHeader(bytes)).toEqual({ length: header.byteLength, address });
});

test("extensions of version 2 are skipped", () => {
  const header = concatBytes(SIGNATURE, fromHex("21110010c0000201cb00710103e801bb04000100"));

  expect(readProxyHeader(header)).toEqual({ length: header.byteLength, address: "192.0.2.1" });
});

test.each([V2_IPV4, V2_IPV6, V2_LOCAL, utf8("PROXY TCP4 192.0.2.1 203.0.113.1 1000 443\r\n")])(
  "waits for the rest of a header that is cut anywhere",
  (header: Bytes) => {
    for (let end = 0; end < header.byteLength; end++)
      expect(readProxyHeader(header.subarray(0, end))).toBeUndefined();
  },
);

describe("refuses", () => {
  test.each([
    ["a request without a header", utf8("GET / HTTP/1.1\r\n")],
    ["a name in place of an address", utf8("PROXY TCP4 example.org 203.0.113.1 1000 443\r\n")],
    ["an address of the other family", utf8("PROXY TCP4 2001:db8::1 203.0.113.1 1000 443\r\n")],
    ["a line without its end", utf8("PROXY TCP4 ".padEnd(107, "1"))],
    ["a line that ends without a return", utf8("PROXY TCP4 192.0.2.1 203.0.113.1 1000 443\n")],
    ["another signature", concatBytes(fromHex("0d0a0d0a000d0a515549540b"), fromHex("20000000"))],
    ["another version", concatBytes(SIGNATURE, fromHex("3111000cc0000201cb00710103e801bb"))],
    ["a command that is none", concatBytes(SIGNATURE, fromHex("2211000cc0000201cb00710103e801bb"))],
    ["UDP", concatBytes(SIGNATURE, fromHex("2112000cc0000201cb00710103e801bb"))],
    ["addresses that are too short", concatBytes(SIGNATURE, fromHex("21110004c0000201"))],
    ["a length beyond the limit", concatBytes(SIGNATURE, fromHex("2111ffff"))],
  ])("%s", (_name, bytes) => {
    expect(() => readProxyHeader(bytes)).toThrow(RangeError);
  });

  test("whatever is not a header, by a RangeError and nothing else", () => {
    const random = seededRandom("proxy header");
    for (let count = 0; count < 2000; count++) {
      const bytes = concatBytes(V2_IPV6.subarray(0, random.integer(20)), random.bytes(random.integer(60)));
      try {
        const header = readProxyHeader(bytes);
        expect(header === undefined || header.length <= MAX_PROXY_HEADER_BYTES).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }
  });
});
