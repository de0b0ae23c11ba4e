import { expect, test } from "vitest";
import type { JobBundle } from "../../src/job/index.ts";
import { ParameterSet, Tensor } from "../../src/tensor/index.ts";
import { aBundle, TestFederation } from "./a-federation.ts";
import { RawSite, updateOf } from "./raw-site.ts";

/** The linear model with a tensor between that does not train, of another dtype. */
function withFrozen(bundle: JobBundle): JobBundle {
  const [weight, bias] = bundle.parameters;
  if (weight === undefined || bias === undefined) throw new RangeError("two parameters");
  const frozen = new Tensor("u8", [3], Uint8Array.of(1, 2, 3));
  return {
    ...bundle,
    parameters: [weight, { name: "frozen", dtype: "u8", shape: [3], trainable: false }, bias],
    initialParameters: new ParameterSet([...bundle.initialParameters.entries(), ["frozen", frozen]]),
  };
}

test("parameters that do not train stay as they are, and travel in no update", async () => {
  const federation = await TestFederation.start();
  const site = await RawSite.connect(federation, "site-1");
  const user = await federation.user();
  const job = await federation.clock.runUntil(
    user.submit(withFrozen(aBundle({ rounds: 1, minimumSites: 1 }))),
  );
  await federation.clock.settle();

  await site.contribute(updateOf(2));
  await federation.clock.settle();

  const { model, version } = await federation.clock.runUntil(job.result());
  expect(version).toBe(1);
  expect(model.names()).toEqual(["weight", "frozen", "bias"]);
  expect([...(model.get("frozen")?.data ?? [])]).toEqual([1, 2, 3]);
  expect([...(model.get("weight")?.f32 ?? []), ...(model.get("bias")?.f32 ?? [])]).toEqual([2, 2, 2, 2, 2]);
  await federation.stop();
});
