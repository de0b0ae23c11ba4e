import { describe, expect, test } from "vitest";
import { parseJobPayload, signJob } from "../../src/job/index.ts";
import { webCrypto } from "../../src/platform/index.ts";
import { ParameterSet, Tensor } from "../../src/tensor/index.ts";
import { TEST_EPOCH_MS, testProject, virtualClock } from "../../src/testing/index.ts";
import { aBundle } from "../coordinator/a-federation.ts";

const crypto = webCrypto();
const clock = virtualClock({ startMs: TEST_EPOCH_MS });
const project = testProject({ crypto, clock, sites: [] });

async function signer() {
  const identity = (await project).users.get("lead@example.org");
  if (identity === undefined) throw new RangeError("no lead");
  return { identity, crypto, clock };
}

describe("a signed job", () => {
  test("names its graph and its initial parameters by digest and length", async () => {
    const bundle = aBundle();

    const { payload, graph, parameters, jobId } = await signJob(bundle, await signer());

    expect(jobId).toMatch(/^[0-9a-f]{32}$/);
    expect(payload.graph).toEqual({ digest: await crypto.sha256(graph), byteLength: 1000 });
    expect(payload.initialParameters).toEqual({ digest: await crypto.sha256(parameters), byteLength: 20 });
    expect(payload.definition).toEqual(bundle.definition);
  });

  test("is refused when parameters and table differ", async () => {
    const bundle = aBundle();
    const other = new ParameterSet([["weight", Tensor.f32([4], new Float32Array(4))]]);
    const reshaped = new ParameterSet([
      ["weight", Tensor.f32([2, 2], new Float32Array(4))],
      ["bias", Tensor.f32([1], new Float32Array(1))],
    ]);

    for (const initialParameters of [other, reshaped]) {
      await expect(signJob({ ...bundle, initialParameters }, await signer())).rejects.toMatchObject({
        code: "ERR_JOB_INVALID",
      });
    }
  });

  test("is refused when its personal layers are none, or leave nothing to send", async () => {
    const { payload } = await signJob(aBundle(), await signer());

    for (const [pattern, problem] of [
      ["*", "leaves nothing to send"],
      ["head.*", "names no trainable parameter"],
    ] as const) {
      const { training } = payload.definition;
      const changed = { ...training, personal: { name: "layers", parameters: [pattern] } };
      const definition = { ...payload.definition, training: changed };
      expect(() => parseJobPayload({ ...payload, definition })).toThrow(problem);
    }
  });

  test("is refused when nothing is trainable, a trainable tensor is not f32, or a name occurs twice", async () => {
    const { payload } = await signJob(aBundle(), await signer());
    const [weight, bias] = payload.parameters;
    if (weight === undefined || bias === undefined) throw new RangeError("two parameters");

    for (const parameters of [
      [
        { ...weight, trainable: false },
        { ...bias, trainable: false },
      ],
      [weight, { ...bias, dtype: "f16" }],
      [weight, { ...bias, name: "weight" }],
      [weight, { ...bias, shape: [2 ** 31, 2 ** 31, 2 ** 31] }],
      [weight],
      [],
    ]) {
      expect(() => parseJobPayload({ ...payload, parameters })).toThrow(
        expect.objectContaining({ code: "ERR_JOB_INVALID" }),
      );
    }
  });
});
