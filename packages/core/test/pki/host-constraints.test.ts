import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isHostName,
  isHostWithin,
  isMailWithin,
  isUriWithin,
  mayWildcardReach,
} from "../../src/pki/host-constraints.ts";

const label = fc.constantFrom("a", "b", "A", "ab", "xn--zrich-kva", "a-b", "_dmarc", "0");
const host = fc.array(label, { minLength: 1, maxLength: 4 });
const once = { seed: 20_260_701, numRuns: 1000 };
const lower = (labels: readonly string[]): readonly string[] => labels.map((one) => one.toLowerCase());

/** Whether the last labels of one are the other, by comparing label for label. */
function endsWith(labels: readonly string[], base: readonly string[]): boolean {
  const tail = lower(labels).slice(Math.max(0, labels.length - base.length));
  return labels.length >= base.length && lower(base).every((one, index) => one === tail[index]);
}

describe("a host lies within another", () => {
  test("exactly when its last labels are that, whatever their case", () => {
    fc.assert(
      fc.property(host, host, (one, base) => {
        expect(isHostWithin(one.join("."), base.join("."))).toBe(endsWith(one, base));
      }),
      once,
    );
  });

  test("and so do the hosts that a wildcard stands for: all, some or none of them", () => {
    fc.assert(
      fc.property(host, host, label, (below, base, first) => {
        const wildcard = `*.${below.join(".")}`;
        const text = base.join(".");

        if (isHostWithin(wildcard, text)) expect(isHostWithin([first, ...below].join("."), text)).toBe(true);
        if (isHostWithin([first, ...below].join("."), text)) {
          expect(isHostWithin(wildcard, text) || mayWildcardReach(wildcard, text)).toBe(true);
        }
      }),
      once,
    );
  });

  test("or it is no host at all, which nobody can tell", () => {
    for (const text of [
      "",
      ".",
      "a.",
      ".a",
      "a..b",
      "a b",
      "-a",
      "a-",
      "*",
      "a.*",
      "*.*.a",
      `${"a".repeat(64)}.b`,
    ]) {
      expect(isHostName(text), text).toBe(false);
      expect(isHostWithin(text, "a"), text).toBeUndefined();
    }
    expect(isHostName("a.".repeat(130))).toBe(false);
  });
});

test("addresses and URIs lie within what their host lies in, and the host is the last thing that looks like one", () => {
  fc.assert(
    fc.property(host, host, (one, base) => {
      const [name, other] = [one.join("."), base.join(".")];
      const isSame = lower(one).join(".") === lower(base).join(".");
      const isBelow = one.length > base.length && endsWith(one, base);

      expect(isMailWithin(`ada@${name}`, other)).toBe(isSame);
      expect(isMailWithin(`ada@${name}`, `.${other}`)).toBe(isBelow);
      expect(isMailWithin(`"ada@evil.org"@${name}`, other)).toBe(isSame);
      if (/^[\d.]+$/.test(name)) return;
      expect(isUriWithin(`https://${name}:8443/p?q=//evil.org`, other)).toBe(isSame);
      expect(isUriWithin(`https://${other}@${name}`, other)).toBe(isSame);
      expect(isUriWithin(`wss://${name}#@${other}`, `.${other}`)).toBe(isBelow);
    }),
    once,
  );
});

test("URIs without a host by name lie nowhere", () => {
  for (const uri of [
    "urn:a:b",
    "mailto:a@b.org",
    "https://",
    "https:///a",
    "https://192.0.2.1/",
    "https://[::1]/",
    "//a.org",
    "https:a.org",
  ]) {
    expect(isUriWithin(uri, "a.org"), uri).toBeUndefined();
    expect(isUriWithin(uri, ""), uri).toBeUndefined();
  }
});
