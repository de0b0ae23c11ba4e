import { type Bytes, concatBytes } from "@photinus/core/bytes";
import { PkiError } from "@photinus/core/errors";
import { openCertificateRequest, parseCertificate, TOLERANT_FORM, verifyChain } from "@photinus/core/pki";
import { webCrypto } from "@photinus/core/platform";
import { TEST_EPOCH_MS, type TestProject, testProject } from "@photinus/core/testing";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { derChildren } from "../../src/pki/der-reader.ts";
import { explicit, sequence } from "../../src/pki/der-writer.ts";

const crypto = webCrypto();
let project: TestProject;
let leaf: Bytes;

beforeAll(async () => {
  project = await testProject({ sites: ["clinic-a"], users: [] });
  [leaf = new Uint8Array()] = project.sites.get("clinic-a")?.participant.chain ?? [];
});

function verify(chain: readonly Bytes[]): Promise<unknown> {
  const root = project.root.certificate.der;
  return verifyChain(chain, { root, project: "test", usage: "client", nowMs: TEST_EPOCH_MS }, { crypto });
}

/** The code of a refusal. @throws whatever is no refusal: a reader that fails otherwise has a fault */
async function codeOf(reading: Promise<unknown>): Promise<string | undefined> {
  try {
    await reading;
    return undefined;
  } catch (error) {
    if (error instanceof PkiError) return error.code;
    throw error;
  }
}

test("a certificate of which any one bit is turned is refused by a code", async () => {
  const codes = new Set<string | undefined>();
  for (let bit = 0; bit < 8 * leaf.length; bit++) {
    const altered = leaf.slice();
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    const code = await codeOf(verify([altered]));
    expect(code, `bit ${bit}`).toMatch(/^ERR_CERTIFICATE_/);
    codes.add(code);
  }

  // Whatever is turned: the form, the algorithm or key, the issuer, the time, or only the signature tells.
  expect(codes).toContain("ERR_CERTIFICATE_MALFORMED");
  expect(codes).toContain("ERR_CERTIFICATE_UNSUPPORTED");
  expect(codes).toContain("ERR_CERTIFICATE_UNTRUSTED");
  expect(codes).toContain("ERR_CERTIFICATE_SIGNATURE");
});

test("a certificate that is cut off at any byte is refused as malformed", async () => {
  for (let length = 0; length < leaf.length; length++) {
    expect(await codeOf(parseCertificate(leaf.slice(0, length), { crypto }))).toBe(
      "ERR_CERTIFICATE_MALFORMED",
    );
  }
});

test("bytes that were altered at random places are read or refused by a code, in either form", async () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(changes, async (list) => {
      const altered = leaf.slice();
      for (const [at, byte] of list) altered[at % altered.length] = byte;

      await codeOf(parseCertificate(altered, { crypto }));
      await codeOf(parseCertificate(altered, { crypto }, TOLERANT_FORM));
    }),
    { seed: 20_260_701, numRuns: 3000 },
  );
});

test("fields that are left out, doubled or exchanged are refused as malformed or by the signature", async () => {
  const [tbs = leaf, algorithm = leaf, signature = leaf] = derChildren(leaf);
  const fields = derChildren(tbs);
  const orders = fc.array(fc.nat(fields.length - 1), { maxLength: fields.length + 2 });
  const whole = fields.map((_, index) => index).join();
  await fc.assert(
    fc.asyncProperty(orders, async (order) => {
      fc.pre(order.join() !== whole);
      const der = sequence(sequence(...order.map((index) => fields[index] ?? leaf)), algorithm, signature);

      expect(await codeOf(verify([der]))).toMatch(/^ERR_CERTIFICATE_/);
    }),
    { seed: 20_260_701, numRuns: 1000 },
  );
});

test("nesting that goes on and on is refused before the stack is used up", async () => {
  let nested: Bytes = sequence();
  while (nested.length < 8000) nested = explicit(0, nested);

  expect(await codeOf(parseCertificate(nested, { crypto }))).toBe("ERR_CERTIFICATE_MALFORMED");
  expect(await codeOf(parseCertificate(sequence(nested, nested, nested), { crypto }))).toBe(
    "ERR_CERTIFICATE_MALFORMED",
  );
});

test("random bytes are refused as a certificate and as a request", async () => {
  const random = fc.uint8Array({ maxLength: 512, size: "max" }).map((bytes) => Uint8Array.from(bytes));
  await fc.assert(
    fc.asyncProperty(random, async (bytes) => {
      const framed = sequence(bytes);

      for (const candidate of [bytes, framed, concatBytes(leaf, bytes.length === 0 ? leaf : bytes)]) {
        expect(await codeOf(parseCertificate(candidate, { crypto }))).toBe("ERR_CERTIFICATE_MALFORMED");
        expect(await codeOf(openCertificateRequest(candidate, { crypto }))).toBe("ERR_REQUEST_MALFORMED");
      }
    }),
    { seed: 20_260_701, numRuns: 500 },
  );
});
