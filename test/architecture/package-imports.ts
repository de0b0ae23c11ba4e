import { importsOf, type SourceFile } from "./source-files.ts";

/** What the sources of one package may import besides their own files. */
export interface PackageRule {
  /** Our packages, as `@photinus/<name>` or one subpath of it. */
  readonly ours: readonly string[];
  /** Packages of others. */
  readonly others: readonly string[];
  /** Packages of others that only `import()` may load: most users never need them. */
  readonly lazy?: readonly string[];
  /** Packages of ours whose files are served or started, and whose code is never imported. */
  readonly files?: readonly string[];
  /** True where Node's own modules exist. */
  readonly node: boolean;
}

/** The house: who may import what. A line here is a decision; see docs/ARCHITECTURE.md, packages. */
export const PACKAGE_RULES: Readonly<Record<string, PackageRule>> = {
  core: {
    ours: [],
    others: ["@hpke/core", "valibot"],
    lazy: ["asn1js", "pkijs"],
    node: false,
  },
  training: { ours: ["@photinus/core"], others: ["jpeg-js", "onnxruntime-common", "valibot"], node: false },
  monitor: {
    ours: ["@photinus/core/errors", "@photinus/core/message/observation"],
    others: ["lit", "uplot"],
    node: false,
  },
  "node-platform": {
    ours: ["@photinus/core"],
    others: ["pino", "ws"],
    lazy: ["@peculiar/webcrypto"],
    node: true,
  },
  "node-server": {
    ours: ["@photinus/core", "@photinus/node-platform"],
    others: [
      "@hono/node-server",
      "hono",
      "jose",
      "libsql",
      "openid-client",
      "p-queue",
      "prom-client",
      "rate-limiter-flexible",
      "valibot",
      "ws",
    ],
    node: true,
  },
  "node-client": {
    ours: ["@photinus/core", "@photinus/node-platform", "@photinus/training"],
    others: ["onnxruntime-common", "onnxruntime-node", "openid-client", "valibot"],
    node: true,
  },
  "web-client": {
    ours: ["@photinus/core", "@photinus/monitor", "@photinus/training"],
    others: ["idb", "lit", "onnxruntime-common", "onnxruntime-web", "valibot"],
    node: false,
  },
  cli: {
    ours: [
      "@photinus/core",
      "@photinus/node-client",
      "@photinus/node-platform",
      "@photinus/node-server",
      "@photinus/training",
    ],
    files: ["@photinus/web-client"],
    others: ["@clack/prompts", "@valibot/to-json-schema", "commander", "valibot", "yaml"],
    node: true,
  },
};

/** core/src/testing holds contract suites for test files. */
const ONLY_IN_TESTING = ["fast-check", "vitest"];

const allows = (allowed: readonly string[], specifier: string): boolean =>
  allowed.some((name) => specifier === name || specifier.startsWith(`${name}/`));

function faultOf(rule: PackageRule, path: string, specifier: string, dynamic: boolean): string | undefined {
  if (specifier.startsWith("node:"))
    return rule.node ? undefined : `${path} imports ${specifier}, which is Node's`;
  if (allows(rule.ours, specifier) || allows(rule.others, specifier)) return undefined;
  if (path.startsWith("packages/core/src/testing/") && allows(ONLY_IN_TESTING, specifier)) return undefined;
  if (!allows(rule.lazy ?? [], specifier)) return `${path} imports ${specifier}, which its package may not`;
  return dynamic ? undefined : `${path} imports ${specifier} at once; load it by import()`;
}

/** What is wrong with the imports of these files of one package, one line each. */
export function packageFaults(packageName: string, files: readonly SourceFile[]): readonly string[] {
  const rule = PACKAGE_RULES[packageName];
  if (rule === undefined) return [`packages/${packageName} has no line in PACKAGE_RULES`];
  return files.flatMap(({ path, text }) =>
    importsOf(text)
      .filter(({ specifier }) => !specifier.startsWith("."))
      .flatMap(
        ({ specifier, dynamic, typeOnly }) => faultOf(rule, path, specifier, dynamic || typeOnly) ?? [],
      ),
  );
}
