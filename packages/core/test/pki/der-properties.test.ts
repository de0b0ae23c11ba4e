import { type Bytes, concatBytes } from "@photinus/core/bytes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTime } from "../../src/pki/certificate-time.ts";
import { derChildren, derContent, derObjectIdentifier, requireDer } from "../../src/pki/der-reader.ts";
import {
  bitString,
  explicit,
  implicit,
  integer,
  NULL,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  TRUE,
  time,
  tlv,
  utf8String,
} from "../../src/pki/der-writer.ts";

const bytes = fc.uint8Array({ maxLength: 40 }).map((content) => Uint8Array.from(content));
const times = fc.integer({ min: Date.UTC(1950, 0, 1), max: Date.UTC(9999, 11, 31) });
const identifiers = fc
  .tuple(
    fc.integer({ min: 0, max: 1 }),
    fc.integer({ min: 0, max: 39 }),
    fc.array(fc.bigInt({ min: 0n, max: 2n ** 128n }), { maxLength: 2 }),
  )
  .map(([first, second, rest]) => [first, second, ...rest].join("."));

const { value: values } = fc.letrec<{ value: Bytes }>((tie) => {
  const list = fc.array(tie("value"), { maxLength: 4 });
  return {
    value: fc.oneof(
      { depthSize: "small", maxDepth: 6 },
      bytes.map(octetString),
      bytes.map((content) => bitString(content)),
      fc.uint8Array({ minLength: 1, maxLength: 20 }).map(integer),
      fc.string({ unit: "grapheme", maxLength: 12 }).map(utf8String),
      bytes.map((content) => implicit(2, content)),
      identifiers.map(objectIdentifier),
      times.map(time),
      fc.constantFrom(NULL, TRUE),
      list.map((parts) => sequence(...parts)),
      list.map((parts) => setOf(...parts)),
      list.map((parts) => explicit(1, ...parts)),
    ),
  };
});

const once = { seed: 20_260_701, numRuns: 1000 };

function isDer(candidate: Uint8Array): boolean {
  try {
    requireDer(candidate);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
    return false;
  }
}

/** Takes a value apart to its primitives and writes it again. */
function rewritten(der: Bytes): Bytes {
  const tag = der[0] ?? 0;
  if ((tag & 0x20) === 0) return tlv(tag, derContent(der, tag));
  const children = derChildren(der, tag).map(rewritten);
  return tag === 0x31 ? setOf(...children) : tlv(tag, ...children);
}

describe("the strict reader", () => {
  test("accepts whatever is written here, and takes it apart without loss", () => {
    fc.assert(
      fc.property(values, (der) => {
        requireDer(der);
        expect(rewritten(der)).toEqual(der);
      }),
      once,
    );
  });

  test("accepts of all bytes only those that writing the same values again yields", () => {
    const mutated = fc
      .tuple(values, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }))
      .map(([der, changes]) => {
        const altered = der.slice();
        for (const [at, byte] of changes) altered[at % altered.length] = byte;
        return altered;
      });
    let accepted = 0;
    fc.assert(
      fc.property(mutated, (candidate) => {
        if (!isDer(candidate)) return;
        accepted++;
        expect(rewritten(candidate)).toEqual(candidate);
      }),
      { ...once, numRuns: 5000 },
    );

    expect(accepted).toBeGreaterThan(500);
  });

  test("refuses every value that is cut off or goes on", () => {
    fc.assert(
      fc.property(values, fc.nat(), bytes, (der, at, more) => {
        expect(isDer(der.subarray(0, at % der.length))).toBe(false);
        if (more.length > 0) expect(isDer(concatBytes(der, more))).toBe(false);
      }),
      once,
    );
  });

  test("never reads beyond the bytes that it was given", () => {
    fc.assert(
      fc.property(values, bytes, bytes, (der, before, after) => {
        const whole = concatBytes(before, der, after);

        expect(isDer(whole.subarray(before.length, before.length + der.length))).toBe(true);
        expect(isDer(whole.subarray(before.length, before.length + der.length - 1))).toBe(false);
      }),
      once,
    );
  });

  test("refuses random bytes or reads them, in time that grows as they do", () => {
    const random = fc.uint8Array({ minLength: 1, maxLength: 4096, size: "max" });

    fc.assert(
      fc.property(random, (candidate) => void isDer(candidate)),
      { ...once, numRuns: 300 },
    );
  });
});

describe("what is read is what was written", () => {
  test("of object identifiers, with numbers beyond 2^53", () => {
    fc.assert(
      fc.property(identifiers, (dotted) => {
        expect(derObjectIdentifier(objectIdentifier(dotted))).toBe(dotted);
      }),
      once,
    );
    expect(derObjectIdentifier(objectIdentifier("2.999.3"))).toBe("2.999.3");
    expect(() => derObjectIdentifier(tlv(6, new Uint8Array(65).fill(1)))).toThrow(RangeError);
  });

  test("of times, to the second, each in the one form it has", () => {
    fc.assert(
      fc.property(times, (atMs) => {
        expect(readTime(time(atMs))).toEqual({ atMs: 1000 * Math.floor(atMs / 1000), isInItsForm: true });
      }),
      once,
    );
  });
});
