import type { Feature } from "../dataset.ts";
import { numbersOf, type Stage, type StageContext, unfit } from "./stage.ts";

/** Moves each picture by up to `padding` pixels (He et al. 2016, section 4.2: padded, then cropped at random). */
export function crop({ padding }: { readonly padding: number }, { feature, random }: StageContext): Stage {
  const size = sizeOf(feature, "crop");
  return {
    feature,
    apply: (values, count) => {
      if (random === undefined) return values;
      return remap(values, { count, size }, () => {
        const [down, right] = [
          random.below(2 * padding + 1) - padding,
          random.below(2 * padding + 1) - padding,
        ];
        return (row, column) => [row + down, column + right];
      });
    },
  };
}

/** Mirrors half of the pictures. */
export function flip(
  { direction }: { readonly direction: "horizontal" | "vertical" },
  { feature, random }: StageContext,
): Stage {
  const size = sizeOf(feature, "flip");
  const { rows, columns } = size;
  return {
    feature,
    apply: (values, count) => {
      if (random === undefined) return values;
      return remap(values, { count, size }, () => {
        if (random.below(2) === 0) return undefined;
        if (direction === "vertical") return (row, column) => [rows - 1 - row, column];
        return (row, column) => [row, columns - 1 - column];
      });
    },
  };
}

interface Size {
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
}

function sizeOf(feature: Feature, transform: string): Size {
  const [channels, rows, columns] = feature.shape;
  if (
    feature.dtype !== "f32" ||
    columns === undefined ||
    rows === undefined ||
    channels === undefined ||
    feature.shape.length !== 3
  ) {
    return unfit(feature, transform, "f32[channels, rows, columns]");
  }
  return { channels, rows, columns };
}

/** Where a pixel comes from; outside of the picture there are zeros. */
type Origin = (row: number, column: number) => readonly [row: number, column: number];

/** @param draw says of each picture where its pixels come from; undefined leaves it as it is */
function remap(
  values: Parameters<Stage["apply"]>[0],
  { count, size }: { readonly count: number; readonly size: Size },
  draw: () => Origin | undefined,
): Float32Array {
  const numbers = numbersOf(values);
  const plane = size.rows * size.columns;
  for (let example = 0; example < count; example++) {
    const origin = draw();
    for (let channel = 0; origin !== undefined && channel < size.channels; channel++) {
      const start = (example * size.channels + channel) * plane;
      const moved = numbers.slice(start, start + plane);
      forPixels(size, (row, column, at) => {
        const [fromRow, fromColumn] = origin(row, column);
        const isInside = fromRow >= 0 && fromRow < size.rows && fromColumn >= 0 && fromColumn < size.columns;
        numbers[start + at] = isInside ? (moved[fromRow * size.columns + fromColumn] ?? 0) : 0;
      });
    }
  }
  return numbers;
}

function forPixels({ rows, columns }: Size, visit: (row: number, column: number, at: number) => void): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) visit(row, column, row * columns + column);
  }
}
