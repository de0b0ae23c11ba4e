import { arrayDataset, type Dataset } from "../../src/data/index.ts";

/** Grey and black images of 784 pixels, by turns, in two of ten classes. */
export function shades(count: number): Dataset {
  const labels = Int32Array.from({ length: count }, (_, index) => index % 2);
  const values = new Float32Array(784 * count);
  labels.forEach((label, index) => {
    values.fill(label, 784 * index, 784 * (index + 1));
  });
  const features = [{ name: "image", shape: [784], values }];
  return arrayDataset("shades", { features, labels: { values: labels, classCount: 10 } });
}
