import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { createProgram } from "../../packages/cli/src/program.ts";
import { findSystemdAnalyze } from "../../scripts/nginx.ts";
import { ROOT, run } from "../../scripts/process.ts";

const DEPLOY = join(ROOT, "deploy");
const read = (path: string): string => readFileSync(join(DEPLOY, path), "utf8");

/** Options of `photinus <role> start`. */
function optionsOf(role: "server" | "site"): ReadonlySet<string> {
  const program = createProgram(() => {
    throw new Error("nothing is run");
  });
  const start = program.commands
    .find((command) => command.name() === role)
    ?.commands.find((command) => command.name() === "start");
  return new Set(start?.options.map(({ long }) => long?.replace(/^--no-/, "--") ?? ""));
}

/** Options that a text gives to `photinus <role> start` and that it does not have. */
function unknownOptions(text: string): readonly string[] {
  const joined = text.replaceAll(/\\\n#?\s*/g, "");
  return Array.from(joined.matchAll(/photinus (server|site) start ([^\n]*)/g)).flatMap(
    ([, role, rest = ""]) => {
      const known = optionsOf(role === "site" ? "site" : "server");
      return (rest.match(/--[a-z-]+/g) ?? []).filter((option) => !known.has(option));
    },
  );
}

const TEXTS = readdirSync(DEPLOY, { recursive: true, encoding: "utf8" }).filter((path) => path.includes("."));

test.each([...TEXTS, "Containerfile"])("%s starts the programs with options that they have", (path) => {
  expect(unknownOptions(read(path))).toEqual([]);
});

test("finds a planted option that does not exist", () => {
  expect(unknownOptions("photinus server start --kit k \\\n#   --sate s")).toEqual(["--sate"]);
});

test.each(["photinus-server", "photinus-site"])(
  "systemd takes %s, and finds it locked down",
  async (unit) => {
    const analyze = await findSystemdAnalyze();
    const file = join(DEPLOY, "systemd", `${unit}.service`);

    const verified = await run(analyze, ["verify", file], { output: "keep" });
    const security = await run(analyze, ["security", "--offline=yes", "--threshold=40", file], {
      output: "keep",
    });

    expect(verified).toEqual({ status: 0, output: "" });
    expect(security.status, security.output.slice(-200)).toBe(0);
  },
);

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  // biome-ignore lint/suspicious/noExplicitAny: a manifest is read here, and nowhere else
  readonly spec?: any;
}

const manifests = (...files: readonly string[]): readonly Manifest[] =>
  files.flatMap((file) =>
    parseAllDocuments(read(`kubernetes/${file}`)).map((document) => {
      expect(document.errors, file).toEqual([]);
      return document.toJS() as Manifest;
    }),
  );
const one = (kind: string, of: readonly Manifest[]): Manifest => {
  const found = of.filter((each) => each.kind === kind);
  if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} of ${kind}`);
  return found[0];
};

test("service, pods and network policy of Kubernetes select each other by label and port", () => {
  const all = manifests("server.yaml", "network-policy.yaml");
  const [set, service, policy] = [one("StatefulSet", all), one("Service", all), one("NetworkPolicy", all)];
  const { labels } = set.spec.template.metadata;

  expect(set.spec.selector.matchLabels).toEqual(labels);
  expect(service.spec.selector).toEqual(labels);
  expect(policy.spec.podSelector.matchLabels).toEqual(labels);
  expect(set.spec.serviceName).toBe(service.metadata.name);
  const [{ ports }] = set.spec.template.spec.containers;
  expect(service.spec.ports[0].targetPort).toBe(ports[0].name);
  expect(policy.spec.ingress[0].ports[0].port).toBe(ports[0].name);
  expect(set.spec.replicas).toBe(1); // the state is one file
});

test.each(["ingress-pass-through.yaml", "ingress-termination.yaml"])("%s leads to the service", (file) => {
  const service = one("Service", manifests("server.yaml"));
  const ingress = one("Ingress", manifests(file));

  for (const { http } of ingress.spec.rules) {
    const { name, port } = http.paths[0].backend.service;
    expect([name, port.name]).toEqual([service.metadata.name, service.spec.ports[0].name]);
  }
});

test("the pods of Kubernetes run as nobody special, and mount what they name", () => {
  const { spec } = one("StatefulSet", manifests("server.yaml")).spec.template;
  const claims = one("StatefulSet", manifests("server.yaml")).spec.volumeClaimTemplates;
  const volumes = [...spec.volumes.map(({ name }: { name: string }) => name), claims[0].metadata.name];

  expect(spec.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: "RuntimeDefault" },
  });
  expect(spec.automountServiceAccountToken).toBe(false);
  for (const container of [...spec.initContainers, ...spec.containers]) {
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container.resources.limits.memory).toBeDefined();
    for (const mount of container.volumeMounts) expect(volumes).toContain(mount.name);
  }
  const unknown = spec.containers[0].args
    .flatMap((argument: string) => /^(--[a-z-]+)=/.exec(argument)?.[1] ?? [])
    .filter((option: string) => !optionsOf("server").has(option));
  expect(unknown).toEqual([]);
});

/** What a location has to set, or a client's own words come through. */
const HEADERS = [
  "Upgrade",
  "Connection",
  "Host",
  "X-Forwarded-For",
  "Forwarded",
  "X-SSL-Client-Verify",
  "X-SSL-Client-Cert",
];

/** Locations of a configuration that leave a header to the client. */
function carelessLocations(configuration: string): readonly string[] {
  const locations = configuration.match(/location [^{]*\{[^}]*\}/g) ?? [];
  return locations.filter((text) => HEADERS.some((name) => !text.includes(`proxy_set_header ${name} `)));
}

test.each(["tls-termination.conf", "client-certificate.conf"])(
  "each location of %s sets every header",
  (file) => {
    const text = read(`nginx/${file}`);

    expect(text).toContain("location /");
    expect(carelessLocations(text)).toEqual([]);
  },
);

test("finds a planted location that forgets one", () => {
  expect(carelessLocations("location / { proxy_set_header Host $host; }")).toHaveLength(1);
});
