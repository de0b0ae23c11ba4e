import type { Participant } from "@photinus/core/pki";
import { expect, test } from "vitest";
import { requireTlsPeer } from "../../src/server/tls-admission.ts";

const leafDigest = new Uint8Array(32).fill(1);
const other = new Uint8Array(32).fill(2);

function participant(chainLength: number): Participant {
  const chain = Array.from({ length: chainLength }, () => new Uint8Array(1));
  return { project: "p", name: "site-1", org: "o", role: "site", leafDigest, chain };
}

test("where TLS is demanded on both sides, the line's certificate must be the handshake's", () => {
  expect(() => requireTlsPeer(participant(1), { tlsLeafDigest: leafDigest }, "mtls")).not.toThrow();
  for (const tlsLeafDigest of [undefined, other]) {
    expect(() => requireTlsPeer(participant(1), { tlsLeafDigest }, "mtls")).toThrowError(
      expect.objectContaining({ code: "ERR_AUTH_FAILED" }),
    );
  }
});

test("pages, which enrolled, need none; nor does anybody where it is not demanded", () => {
  const peer = { tlsLeafDigest: undefined };

  expect(() => requireTlsPeer(participant(2), peer, "mtls")).not.toThrow();
  expect(() => requireTlsPeer(participant(1), peer, "tls")).not.toThrow();
  expect(() => requireTlsPeer(participant(1), peer, "clear")).not.toThrow();
});
