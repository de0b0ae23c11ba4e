import { seededRandom, shuffledIndices } from "@photinus/training";
import { expect, test } from "vitest";
import { GRADIENT_CASES } from "../../../training/test/reference/cases.ts";
import { errorOnRuntime } from "../../../training/test/reference/run-on-runtime.ts";
import { browserRuntimes } from "../../src/trainer/runtimes.ts";

/** In Node all cases run on the same WebAssembly; here a part of them shows that a page's runtime is no other. */
const CASES = 80;

test("a page's WebAssembly computes the gradients that the reference computes", async () => {
  const [candidate] = browserRuntimes("wasm").candidates;
  const runtime = await candidate!.find();
  const available = GRADIENT_CASES.filter(({ lacking }) => !lacking?.includes("wasm"));
  const order = shuffledIndices(available.length, seededRandom(31)).subarray(0, CASES);

  for (const index of order) {
    const sample = available[index]!;
    const error = await errorOnRuntime(sample, runtime);
    expect(error, `${sample.operator} ${sample.form}`).toBeLessThan(1e-5); // as on the CPU, in float32
  }
});
