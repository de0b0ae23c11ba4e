import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, concatBytes } from "@photinus/core/bytes";
import type { JobBundle, JobDefinition } from "@photinus/core/job";
import { seededRandom } from "@photinus/core/testing";
import { u32 } from "@photinus/core/wire";
import { benchModel } from "@photinus/training";
import { temporaryFolder } from "./a-ground.ts";
import { aLinearJob } from "./linear-job.ts";

const PIXELS = 28 * 28;

/** A site's folder with a few random pictures. @param promised examples that the headers of the files name */
export async function aDigitsFolder(examples: number, promised: number = examples): Promise<string> {
  const folder = await temporaryFolder();
  const random = seededRandom("digits");
  const images = concatBytes(
    Uint8Array.of(0, 0, 8, 3),
    ...[u32(promised), u32(28), u32(28)],
    random.bytes(examples * PIXELS),
  );
  const labels = concatBytes(
    Uint8Array.of(0, 0, 8, 1),
    u32(promised),
    random.bytes(examples).map((byte) => byte % 10),
  );
  const training = { images: "images.idx", labels: "labels.idx" };
  const description = { format: "idx-images", classes: 10, mean: 0.1, deviation: 0.3, training };
  await Promise.all([
    writeFile(join(folder, training.images), images),
    writeFile(join(folder, training.labels), labels),
    writeFile(join(folder, "digits.json"), JSON.stringify(description)),
  ]);
  return folder;
}

/** A job that learns the digits by the small network, with another graph where one is given. */
export function aDigitsJob(workflow: Partial<JobDefinition["workflow"]>, graph?: Bytes): JobBundle {
  const { definition } = aLinearJob(workflow);
  const { model, parameters, initialParameters } = benchModel("mlp", 1);
  return {
    definition: { ...definition, name: "digits", dataName: "digits" },
    model: graph ?? model,
    ...{ parameters, initialParameters },
  };
}
