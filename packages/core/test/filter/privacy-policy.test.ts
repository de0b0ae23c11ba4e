import { describe, expect, test } from "vitest";
import {
  DEFAULT_PRIVACY_DOCUMENT,
  directionOf,
  filterRegistry,
  parsePrivacyPolicy,
} from "../../src/filter/index.ts";

const registry = filterRegistry();
const parse = (document: unknown) => parsePrivacyPolicy(document, { registry });
const aScope = (fields: object) => ({ scopes: [{ name: "study", ...fields }] });

describe("privacy.json", () => {
  test("names scopes with properties, filters of both points and a budget", () => {
    const noise = { name: "gaussian-noise", args: { clippingNorm: 1, noiseMultiplier: 2 } };
    const policy = parse({
      scopes: [
        {
          name: "study",
          properties: { ethics: "2026-17", minimumAge: 18 },
          task_data_filters: [{ name: "fp16", direction: "IN" }],
          task_result_filters: [
            noise,
            { name: "block-kinds", args: { kinds: ["metrics"] }, direction: "inout" },
          ],
          budget: { epsilon: 8, delta: 1e-5 },
        },
        { name: "public" },
      ],
      default_scope: "public",
    });

    expect(policy.defaultScope).toBe("public");
    expect(policy.scopes.get("study")).toMatchObject({
      properties: { ethics: "2026-17", minimumAge: 18 },
      dataFilters: [{ name: "fp16", args: {} }],
      resultFilters: [noise, { name: "block-kinds" }],
      budget: { epsilon: 8, delta: 1e-5 },
    });
    expect(policy.scopes.get("public")).toEqual({
      name: "public",
      properties: {},
      dataFilters: [],
      resultFilters: [],
    });
  });

  test("what kits ship is valid", () => {
    expect(parse(DEFAULT_PRIVACY_DOCUMENT).defaultScope).toBe("public");
  });

  test.each([
    ["no scope at all", { scopes: [] }, "scopes: at least one scope"],
    ["a key that nobody knows", { scopes: [{ name: "a" }], components: [] }, "components"],
    [
      "a scope twice",
      { scopes: [{ name: "a" }, { name: "a" }] },
      "scopes.1.name: this scope stands here twice",
    ],
    [
      "a default that is no scope",
      { scopes: [{ name: "a" }], default_scope: "A" },
      "default_scope: there is no scope",
    ],
    [
      "a filter that nobody knows",
      aScope({ task_result_filters: [{ name: "shuffle" }] }),
      "one of exclude-parameters",
    ],
    ["a filter without its arguments", aScope({ task_result_filters: [{ name: "clip-norm" }] }), "args"],
    [
      "an argument out of its range",
      aScope({ task_result_filters: [{ name: "clip-norm", args: { clippingNorm: 0 } }] }),
      "scopes.0.task_result_filters.0.args.clippingNorm: greater than 0",
    ],
    [
      "a filter of updates where models pass: it would do nothing",
      aScope({ task_data_filters: [{ name: "clip-norm", args: { clippingNorm: 1 } }] }),
      "one of fp16, block-kinds",
    ],
    [
      "a direction in which nothing goes",
      aScope({ task_result_filters: [{ name: "fp16", direction: "in" }] }),
      "out or inout: nothing goes another way here",
    ],
    [
      "a budget beside which metrics leave",
      aScope({ budget: { epsilon: 1, delta: 1e-5 } }),
      "scopes.0.budget: a budget is for updates",
    ],
    ["a budget with δ 0", aScope({ budget: { epsilon: 1, delta: 0 } }), "budget.delta: greater than 0"],
    ["a property that is no plain value", aScope({ properties: { a: [] } }), "scopes.0.properties.a"],
    ["a name that is none", { scopes: [{ name: "../x" }] }, "scopes.0.name"],
    ["no object", [], ""],
  ])("refuses %s", (_what, document, words) => {
    expect(() => parse(document)).toThrow(
      expect.objectContaining({
        code: "ERR_PRIVACY_POLICY_INVALID",
        message: expect.stringContaining(words),
      }),
    );
  });

  test("says where in the file the fault stands", () => {
    const document = { scopes: [{ name: "a" }, { name: "a" }] };

    expect(() =>
      parsePrivacyPolicy(document, { registry, locate: (path) => `privacy.json:${path.length}:1` }),
    ).toThrow("privacy.json:3:1 scopes.1.name:");
  });
});

test("data go into sites and out of servers, results the other way", () => {
  expect(
    ["server-data", "site-data", "site-result", "server-result"].map((point) => directionOf(point as never)),
  ).toEqual(["out", "in", "out", "in"]);
});
