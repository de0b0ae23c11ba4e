import type { OutgoingContribution, OutgoingPrivacy } from "@photinus/core/site";
import { render } from "lit";
import { expect, onTestFinished, test } from "vitest";
import { renderOutgoing } from "../../src/join/steps/outgoing.ts";

function shown(privacy: OutgoingPrivacy): string {
  const contribution: OutgoingContribution = {
    ...{ jobId: "0".repeat(32), round: 3, totalBytes: 20, norm: 0.5, exampleCount: 24, digest: "ab" },
    tensors: [{ name: "weight", dtype: "f32", shape: [4], norm: 0.5 }],
    privacy,
    receipt: "committed",
    cause: "",
  };
  const page = document.createElement("div");
  document.body.append(page);
  onTestFinished(() => page.remove());
  render(renderOutgoing([contribution]), page);
  return (page.textContent ?? "").replaceAll(/\s+/g, " ");
}

test("the panel shows each filter with its numbers and whose it is, what is spent, and that losses stay", () => {
  const text = shown({
    scope: "study",
    filters: [
      { name: "gaussian-noise", origin: "site", numbers: { norm: 5, factor: 0.2, sigma: 4 } },
      { name: "top-k", origin: "job", numbers: { kept: 100 } },
    ],
    tellsMetrics: false,
    spent: { epsilon: 1.8312, budget: 8, delta: 1e-5 },
  });

  expect(text).toContain("scope study");
  expect(text).toContain("gaussian-noise of this device norm 5, factor 0.2000, sigma 4");
  expect(text).toContain("top-k of the job kept 100");
  expect(text).toContain("nothing: losses stay here");
  expect(text).toContain("ε 1.831 of 8 at δ 0.00001000");
});

test("where nothing is done to an update, the panel says so", () => {
  const text = shown({ scope: "public", filters: [], tellsMetrics: true });

  expect(text).toContain("none (scope public): sent as trained");
  expect(text).toContain("loss and accuracy");
  expect(text).not.toContain("Spent");
});
