import { verify } from "node:crypto";
import { expect, test } from "vitest";
import { keyPairOf, P256, P384, signDeterministic } from "../../scripts/wire-vectors/deterministic-ecdsa.ts";

// RFC 6979, appendix A.2.5 and A.2.6, the message "sample".
test.for([
  {
    curve: P256,
    scalar: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
    signature:
      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
  },
  {
    curve: P384,
    scalar:
      "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
    signature:
      "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4699ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
  },
])("signs as RFC 6979 does on $curve.jwk, and node verifies it", ({ curve, scalar, signature }) => {
  const data = Buffer.from("sample");
  const secret = Buffer.from(scalar, "hex");

  const signed = signDeterministic(curve, secret, data);

  expect(Buffer.from(signed).toString("hex")).toBe(signature);
  const key = { key: Buffer.from(keyPairOf(curve, secret).spki), format: "der", type: "spki" } as const;
  expect(verify(curve.hash, data, { ...key, dsaEncoding: "ieee-p1363" }, signed)).toBe(true);
});
