import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { BUNDLE_RULES, type BundleRule, pageFaults, reportBundle } from "../../scripts/bundle-report.ts";
import { ROOT } from "../../scripts/process.ts";

// `npm run check` bundles the real entries; here each rule is shown to fail on a planted entry.

function ruleOf(name: string): BundleRule {
  const rule = BUNDLE_RULES.find((candidate) => candidate.name === name);
  if (rule === undefined) throw new Error(`no rule ${name}`);
  return rule;
}

test.for([
  ["web-client", 'import { join } from "node:path";\nexport const a = join("a", "b");', "browser-external"],
  [
    "monitor",
    'import { InferenceSession } from "onnxruntime-web/wasm";\nexport const a = InferenceSession;',
    "onnxruntime",
  ],
  [
    "node-server",
    'import { InferenceSession } from "onnxruntime-node";\nexport const a = InferenceSession;',
    "onnxruntime",
  ],
  [
    "web-client",
    'import { Crypto } from "@peculiar/webcrypto";\nexport const a = new Crypto();',
    "@peculiar/webcrypto",
  ],
  [
    "core/sealing",
    'import { Crypto } from "@peculiar/webcrypto";\nexport const a = new Crypto();',
    "@peculiar",
  ],
  ["node-server", 'export * from "@photinus/training";', "training"],
  ["core/envelope", 'export * from "../aggregation/index.ts";', "aggregation"],
  ["core/envelope", 'export const a = "weighted-mean";', "weighted-mean"],
  ["monitor", "export const a = (b) => b(`node:os`);", "node:o"],
] as const)("finds what is planted in %s: %s", async ([name, text, found]) => {
  const { faults } = await reportBundle(ruleOf(name), text);

  expect(faults.join("\n")).toContain(found);
});

test("finds a planted module of Node's in a script of the pages, ONNX Runtime's own left out", () => {
  const planted = "const os = load(`node:os`);";

  expect(pageFaults(new Map([["index-1.js", planted]]))).toHaveLength(1);
  expect(pageFaults(new Map([["ort.wasm.bundle.min-1.js", planted]]))).toEqual([]);
  expect(pageFaults(new Map([["index-1.js", "const node = 1;"]]))).toEqual([]);
});

test("finds a planted second WebCrypto and a planted weight in the scripts of the pages", () => {
  const noise = Array.from({ length: 60_000 }, (_, index) =>
    Math.imul(index, 2654435761).toString(36),
  ).join();

  const core = readFileSync(join(ROOT, "node_modules/webcrypto-core/build/webcrypto-core.es.js"), "utf8");
  expect(pageFaults(new Map([["a.js", core]]))).toEqual(["the page's a.js holds @peculiar/webcrypto"]);
  expect(pageFaults(new Map([["a.js", noise]])).join()).toContain("at most 175000 are allowed");
  expect(pageFaults(new Map([["ort.wasm.bundle.min-1.js", noise]]))).toEqual([]);
  expect(pageFaults(new Map([["lazy-1.js", noise]]), (name) => name !== "lazy-1.js")).toEqual([]);
});

test("finds a planted weight over the ceiling", async () => {
  const noise = Array.from({ length: 12_000 }, (_, index) =>
    Math.imul(index, 2654435761).toString(36),
  ).join();

  const { faults, gzipBytes } = await reportBundle(ruleOf("monitor"), `export const a = "${noise}";`);

  expect(gzipBytes).toBeGreaterThan(35_000);
  expect(faults.join()).toContain("at most 35000 are allowed");
});

test("accepts an entry that holds nothing foreign", async () => {
  for (const { name } of BUNDLE_RULES) {
    expect((await reportBundle(ruleOf(name), "export const a = 1;")).faults).toEqual([]);
  }
});
