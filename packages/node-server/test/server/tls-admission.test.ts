import type { Participant } from "@photinus/core/pki";
import { testProject } from "@photinus/core/testing";
import { expect, test } from "vitest";
import { requireTlsPeer } from "../../src/server/tls-admission.ts";

const project = await testProject({ sites: ["site-1", "site-2"], users: [] });
const [leaf, other] = ["site-1", "site-2"].map((name) => project.sites.get(name)?.participant.chain[0]);
const none = undefined;

function participant(mutualTls: boolean): Participant {
  const known = project.sites.get("site-1")?.participant;
  if (known === undefined) throw new RangeError("no site-1");
  return { ...known, mutualTls };
}

const REFUSED = expect.objectContaining({ code: "ERR_TLS_MODE" });

test("who was provisioned for mtls must have presented to TLS the certificate of the handshake", () => {
  const site = participant(true);

  expect(() => requireTlsPeer(site, { tlsLeaf: leaf, forwardedLeaf: none })).not.toThrow();
  for (const tlsLeaf of [none, other]) {
    expect(() => requireTlsPeer(site, { tlsLeaf, forwardedLeaf: none })).toThrowError(REFUSED);
  }
});

test("who was not may come without one, or with whichever", () => {
  for (const tlsLeaf of [none, other, leaf]) {
    const peer = { tlsLeaf, forwardedLeaf: none };
    expect(() => requireTlsPeer(participant(false), peer)).not.toThrow();
  }
});

test("a certificate that a proxy forwards never stands for the one of TLS", () => {
  const peer = { tlsLeaf: none, forwardedLeaf: leaf };

  expect(() => requireTlsPeer(participant(true), peer)).toThrowError(REFUSED);
});

test("a certificate that a trusted proxy forwards must not contradict the handshake", () => {
  const site = participant(false);

  expect(() => requireTlsPeer(site, { tlsLeaf: none, forwardedLeaf: leaf })).not.toThrow();
  expect(() => requireTlsPeer(site, { tlsLeaf: none, forwardedLeaf: other })).toThrowError(REFUSED);
});
