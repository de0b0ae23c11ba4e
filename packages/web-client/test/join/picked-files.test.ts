import { concatBytes } from "@photinus/core/bytes";
import { expect, test } from "vitest";
import { summarizeData } from "../../src/join/data-summary.ts";
import { type PickedFile, sortFiles } from "../../src/join/picked-files.ts";

/** An IDX file of `count` images of 2 x 2, or of labels. */
function idx(name: string, count: number, kind: "images" | "labels"): PickedFile {
  const shape = kind === "images" ? [count, 2, 2] : [count];
  const header = new Uint8Array(4 + 4 * shape.length);
  header.set([0, 0, 8, shape.length]);
  const view = new DataView(header.buffer);
  for (const [axis, size] of shape.entries()) view.setUint32(4 + 4 * axis, size);
  const values = new Uint8Array(shape.reduce((product, size) => product * size, 1)).map(
    (_, index) => index % 3,
  );
  return { name, bytes: concatBytes(header, values) };
}

const training = [idx("train-images", 6, "images"), idx("train-labels", 6, "labels")];
const heldOut = [idx("t10k-images", 3, "images"), idx("t10k-labels", 3, "labels")];

test("sorts files by their headers and names, in any order", async () => {
  const [images, labels] = training;
  const [testImages, testLabels] = heldOut;

  const files = await sortFiles("mnist", [...heldOut, ...training].reverse());

  expect(files).toEqual({
    dataName: "mnist",
    trainingImages: images?.bytes,
    trainingLabels: labels?.bytes,
    heldOutImages: testImages?.bytes,
    heldOutLabels: testLabels?.bytes,
  });
});

test("shows counts, labels and a few examples of what was picked", async () => {
  const summary = await summarizeData(await sortFiles("mnist", [...training, ...heldOut]));

  expect(summary).toMatchObject({ trainingExamples: 6, heldOutExamples: 3, labelCounts: [2, 2, 2] });
  expect(summary.pictures).toHaveLength(6);
  expect(summary.pictures[1]).toMatchObject({
    label: 1,
    rows: 2,
    columns: 2,
    pixels: Uint8Array.of(1, 2, 0, 1),
  });
});

test.each([
  ["nothing", [], "ERR_DATA_MISSING"],
  ["images without labels", training.slice(0, 1), "ERR_DATA_MISSING"],
  ["held-out labels without images", [...training, ...heldOut.slice(1)], "ERR_DATA_MISSING"],
  ["counts that differ", [idx("a", 6, "images"), idx("b", 5, "labels")], "ERR_DATA_MALFORMED"],
  [
    "a file that is something else",
    [{ name: "cat.png", bytes: Uint8Array.of(137, 80, 78, 71) }],
    "ERR_DATA_MALFORMED",
  ],
])("refuses %s", async (_name, files, code) => {
  await expect(sortFiles("mnist", files)).rejects.toMatchObject({ code });
});

test("refuses a name that no task could ask for", async () => {
  await expect(sortFiles("My Data", training)).rejects.toMatchObject({ code: "ERR_DATA_MISSING" });
});
