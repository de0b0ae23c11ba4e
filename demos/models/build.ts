// Writes mlp.onnx and cnn.onnx of this folder: `node --conditions=@photinus/source --import tsx demos/models/build.ts`.
import { writeFileSync } from "node:fs";
import { benchModel } from "@photinus/training";

const SEED = 1;

for (const name of ["mlp", "cnn"] as const) {
  writeFileSync(new URL(`./${name}.onnx`, import.meta.url), benchModel(name, SEED).model);
}
