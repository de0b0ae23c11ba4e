import { parseProjectDefinition } from "@photinus/core/provision";
import { describe, expect, test } from "vitest";

const valid = {
  name: "mnist",
  server: { name: "hub", org: "example", hosts: ["fl.example.org", "::1"], port: 8443 },
  sites: [{ name: "clinic-a", org: "north" }],
  users: [{ name: "ada@example.org", org: "example", role: "lead" }],
};

test("a project definition is taken as it is", () => {
  expect(parseProjectDefinition(valid)).toEqual(valid);
  const adapters = [{ name: "tracker", org: "example", security: "tls" }];
  expect(parseProjectDefinition({ ...valid, adapters })).toEqual({ ...valid, adapters });
});

test("a project definition may choose keys, validity, connections, jurisdictions and a proxy's CA", async () => {
  const tlsCa = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const chosen = {
    ...valid,
    key: "RSA-2048",
    rootKey: "RSA-3072",
    validity: { root: 1000, server: 90, site: 30, adapter: 10, user: 7 },
    server: { ...valid.server, tlsCa, jurisdiction: "EU", key: "P-256" },
    sites: [
      {
        ...{ name: "clinic-a", org: "north", security: "tls", key: "RSA-3072", jurisdiction: "US-CA" },
        addresses: ["wss://gate.example.org/ws", "wss://[2001:db8::1]:8443/ws"],
      },
      { name: "clinic-b", org: "north", security: "clear", addresses: ["ws://gate:8080/ws"] },
    ],
    users: [{ ...valid.users[0], security: "tls", addresses: ["wss://gate.example.org/ws"] }],
  };

  expect(parseProjectDefinition(chosen)).toEqual(chosen);
});

describe("a project definition is refused, naming the field, with", () => {
  const site = (more: object) => ({ ...valid, sites: [{ name: "clinic-a", org: "north", ...more }] });
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    ["nothing", undefined, /project/],
    ["an unknown key", { ...valid, extra: 1 }, /extra/],
    ["a name in capitals", { ...valid, name: "MNIST" }, /^name/],
    ["a reserved site name", site({ name: "server" }), /sites\.0\.name/],
    ["a name that leads out of a folder", site({ name: "../a" }), /sites\.0\.name/],
    ["an unknown security", site({ security: "none" }), /sites\.0\.security/],
    ["a port out of range", { ...valid, server: { ...valid.server, port: 0 } }, /server\.port/],
    ["no host", { ...valid, server: { ...valid.server, hosts: [] } }, /server\.hosts/],
    ["a host that is no host", { ...valid, server: { ...valid.server, hosts: ["a/b"] } }, /server\.hosts\.0/],
    [
      "a user in capitals",
      { ...valid, users: [{ ...valid.users[0], name: "Ada@example.org" }] },
      /users\.0\.name/,
    ],
    [
      "a user with a machine's role",
      { ...valid, users: [{ ...valid.users[0], role: "server" }] },
      /users\.0\.role/,
    ],
    ["an address with a path of its own", site({ addresses: ["wss://a/b"] }), /sites\.0\.addresses\.0/],
    ["an address with credentials", site({ addresses: ["wss://a:b@c/ws"] }), /sites\.0\.addresses\.0/],
    ["a port beyond all ports", site({ addresses: ["wss://a:99999/ws"] }), /sites\.0\.addresses\.0/],
    ["an address in clear for TLS", site({ addresses: ["ws://a/ws"] }), /sites\.0\.addresses\.0.*wss/],
    [
      "an address by TLS for clear",
      site({ security: "clear", addresses: ["wss://a/ws"] }),
      /sites\.0\.addresses\.0.*ws:/,
    ],
    ["a key of another kind", site({ key: "RSA-1024" }), /sites\.0\.key/],
    ["a jurisdiction that is none", site({ jurisdiction: "Germany" }), /sites\.0\.jurisdiction/],
    ["a proxy's CA that is none", { ...valid, server: { ...valid.server, tlsCa: "ca" } }, /server\.tlsCa/],
    ["no day of validity", { ...valid, validity: { site: 0 } }, /validity\.site/],
    ["two participants of one name", site({ name: "hub" }), /same name/],
    ["an adapter of a site's name", { ...valid, adapters: valid.sites }, /same name/],
    [
      "an adapter with a role",
      { ...valid, adapters: [{ name: "t", org: "o", role: "lead" }] },
      /adapters\.0\.role/,
    ],
    [
      "an adapter named as a person",
      { ...valid, adapters: [{ name: "a@b.c", org: "o" }] },
      /adapters\.0\.name/,
    ],
  ];

  test.each(cases)("%s", (_name, definition, message) => {
    expect(() => parseProjectDefinition(definition)).toThrow(
      expect.objectContaining({
        code: "ERR_PROJECT_INVALID",
        message: expect.stringMatching(message) as string,
      }),
    );
  });
});
