import type { Participant } from "@photinus/core/pki";
import { expect, test } from "vitest";
import { requireTlsPeer } from "../../src/server/tls-admission.ts";

const leafDigest = new Uint8Array(32).fill(1);
const other = new Uint8Array(32).fill(2);
const none = undefined;

const participant = (mutualTls: boolean): Participant => ({
  ...{ project: "p", name: "site-1", org: "o", role: "site" },
  ...{ leafDigest, chain: [new Uint8Array(1)], mutualTls },
});

const REFUSED = expect.objectContaining({ code: "ERR_TLS_MODE" });

test("who was provisioned for mtls must have presented to TLS the certificate of the handshake", () => {
  const site = participant(true);

  expect(() => requireTlsPeer(site, { tlsLeafDigest: leafDigest, forwardedLeafDigest: none })).not.toThrow();
  for (const tlsLeafDigest of [none, other]) {
    expect(() => requireTlsPeer(site, { tlsLeafDigest, forwardedLeafDigest: none })).toThrowError(REFUSED);
  }
});

test("who was not may come without one, or with whichever", () => {
  for (const tlsLeafDigest of [none, other, leafDigest]) {
    const peer = { tlsLeafDigest, forwardedLeafDigest: none };
    expect(() => requireTlsPeer(participant(false), peer)).not.toThrow();
  }
});

test("a certificate that a proxy forwards never stands for the one of TLS", () => {
  const peer = { tlsLeafDigest: none, forwardedLeafDigest: leafDigest };

  expect(() => requireTlsPeer(participant(true), peer)).toThrowError(REFUSED);
});

test("a certificate that a trusted proxy forwards must not contradict the handshake", () => {
  const site = participant(false);

  expect(() => requireTlsPeer(site, { tlsLeafDigest: none, forwardedLeafDigest: leafDigest })).not.toThrow();
  expect(() => requireTlsPeer(site, { tlsLeafDigest: none, forwardedLeafDigest: other })).toThrowError(
    REFUSED,
  );
});
