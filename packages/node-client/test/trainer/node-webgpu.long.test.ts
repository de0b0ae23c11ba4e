import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { benchModel } from "@photinus/training";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startNodeTrainer } from "../../src/trainer/index.ts";

// Chromium brings a software adapter, which onnxruntime-node can use, too.
const CHROMIUM = "/usr/lib/chromium";
const DRIVER = join(CHROMIUM, "vk_swiftshader_icd.json");

let folder = "";
beforeEach(async () => {
  vi.stubEnv("VK_ICD_FILENAMES", DRIVER);
  vi.stubEnv("LD_LIBRARY_PATH", CHROMIUM);
  folder = await mkdtemp(join(tmpdir(), "photinus-webgpu-"));
  await writeData();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

/** 64 images, half of them grey and half black. */
async function writeData(): Promise<void> {
  const idx = (shape: readonly number[], values: Uint8Array): Uint8Array => {
    const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
    header.setUint16(2, 0x0800 + shape.length);
    shape.forEach((size, axis) => {
      header.setUint32(4 + 4 * axis, size);
    });
    return Buffer.concat([new Uint8Array(header.buffer), values]);
  };
  await writeFile(join(folder, "images"), idx([64, 28, 28], new Uint8Array(64 * 784).fill(100, 0, 32 * 784)));
  await writeFile(join(folder, "labels"), idx([64], new Uint8Array(64).fill(1, 0, 32)));
  const training = { images: "images", labels: "labels" };
  const pixels = { classes: 10, mean: 0.1307, deviation: 0.3081 };
  await writeFile(join(folder, "halves.json"), JSON.stringify({ format: "idx-images", ...pixels, training }));
}

test.skipIf(!existsSync(DRIVER)).each(["mlp", "cnn"] as const)(
  "trains the %s on WebGPU in a child process with the deltas of the CPU",
  async (name) => {
    const { signal } = new AbortController();
    const { model, parameters, initialParameters } = benchModel(name, 1);
    const optimizer = { name: "sgd", learningRate: 0.02, momentum: 0.9 } as const;
    const training = { loss: "cross-entropy", optimizer, batchSize: 16, localEpochs: 1 } as const;
    const deltas: Float32Array[] = [];
    for (const device of ["webgpu", "cpu"] as const) {
      const trainer = startNodeTrainer({ dataFolder: folder, device });
      const job = { jobId: "job", dataName: "halves", training, model, parameters };
      expect(await trainer.prepare(job, { signal })).toMatchObject({ device });
      const { delta } = await trainer.train({ parameters: initialParameters, seed: 1 }, { signal });
      deltas.push(delta.entries()[0]![1].f32);
      await trainer.close();
    }

    const [onGpu, onCpu] = deltas;
    const norm = (values: Float32Array): number =>
      Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    expect(norm(onGpu!.map((value, index) => value - onCpu![index]!)) / norm(onCpu!)).toBeLessThan(1e-3);
  },
  300_000,
);
