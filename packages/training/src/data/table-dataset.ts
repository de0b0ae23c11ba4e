import { arrayDataset } from "./array-dataset.ts";
import type { Dataset } from "./dataset.ts";
import { malformed } from "./idx.ts";
import type { Table } from "./table.ts";

/** Most numbers that the features of a table may become: 1 GiB of them. */
const MAX_NUMBERS = 2 ** 28;

/** A column of numbers: (x - mean) / deviation. */
export interface NumberColumn {
  /** Its name. */
  readonly column: string;
  /** Subtracted. Default: 0. */
  readonly mean?: number | undefined;
  /** Divided by, > 0. Default: 1. */
  readonly deviation?: number | undefined;
  /** Stands, before the mean is subtracted, where a cell is empty. Default: an empty cell is refused. */
  readonly missing?: number | undefined;
}

/** A column of words: of each value one number, 1 where the cell holds it and 0 elsewhere; of a label the position. */
export interface ValueColumn {
  /** Its name. */
  readonly column: string;
  /** All values there are; any other is refused. */
  readonly values: readonly string[];
}

/** How the rows of a table become examples. */
export interface TableDatasetOptions {
  /** What the table is, for errors. */
  readonly name: string;
  /** The inputs of the model, each of the numbers that its columns yield, in order. */
  readonly features: readonly {
    /** Name of the input. */
    readonly input: string;
    /** Its columns. */
    readonly columns: readonly (NumberColumn | ValueColumn)[];
  }[];
  /** The right answer: a class for a column of values, else a number. */
  readonly label: NumberColumn | ValueColumn;
}

/**
 * The rows of a table as a data set.
 * @throws TrainingError `ERR_DATA_MALFORMED` with column and row for a column that is not there, a cell that is no number, or
 *   a value that is not among those given; or when the rows become too many numbers
 */
export function tableDataset(table: Table, { name, features, label }: TableDatasetOptions): Dataset {
  const widths = features.map(({ columns }) => columns.reduce((sum, column) => sum + widthOf(column), 0));
  const numbers = table.rows.length * widths.reduce((sum, width) => sum + width, 0);
  if (numbers > MAX_NUMBERS) malformed(name, `its rows become ${numbers} numbers, at most ${MAX_NUMBERS}`);
  const arrays = features.map(({ input, columns }, index) => {
    const encoders = columns.map((column) => encoderOf(table, { name, column }));
    const width = widths[index] ?? 0;
    const values = new Float32Array(table.rows.length * width);
    let offset = 0;
    for (const { width: own, write } of encoders) {
      for (let row = 0; row < table.rows.length; row++) write(row, values, row * width + offset);
      offset += own;
    }
    return { name: input, shape: [width], values };
  });
  return arrayDataset(name, { features: arrays, labels: labelsOf(table, name, label) });
}

function labelsOf(
  table: Table,
  name: string,
  label: NumberColumn | ValueColumn,
): Parameters<typeof arrayDataset>[1]["labels"] {
  if ("values" in label) {
    const { at } = positionsOf(table, { name, column: label });
    return { values: Int32Array.from(table.rows, (_, row) => at(row)), classCount: label.values.length };
  }
  const values = new Float32Array(table.rows.length);
  const { write } = encoderOf(table, { name, column: label });
  for (let row = 0; row < values.length; row++) write(row, values, row);
  return { values };
}

/** Numbers that one cell becomes. */
const widthOf = (column: NumberColumn | ValueColumn): number =>
  "values" in column ? column.values.length : 1;

interface Encoder {
  readonly width: number;
  readonly write: (row: number, into: Float32Array, offset: number) => void;
}

function encoderOf(
  table: Table,
  { name, column }: { readonly name: string; readonly column: NumberColumn | ValueColumn },
): Encoder {
  if ("values" in column) {
    const { at } = positionsOf(table, { name, column });
    return {
      width: widthOf(column),
      write: (row, into, offset) => {
        into[offset + at(row)] = 1;
      },
    };
  }
  const { mean = 0, deviation = 1, missing } = column;
  const cell = cellsOf(table, name, column.column);
  return {
    width: widthOf(column),
    write: (row, into, offset) => {
      const text = cell(row).trim();
      const value = text === "" ? missing : Number(text);
      if (value === undefined) refuse(name, column, row, "is empty");
      if (!Number.isFinite(value)) refuse(name, column, row, "is no number");
      into[offset] = (value - mean) / deviation;
    },
  };
}

function positionsOf(
  table: Table,
  { name, column }: { readonly name: string; readonly column: ValueColumn },
): { readonly at: (row: number) => number } {
  const positions = new Map(column.values.map((value, index) => [value, index]));
  const cell = cellsOf(table, name, column.column);
  return { at: (row) => positions.get(cell(row)) ?? refuse(name, column, row, "is none of its values") };
}

function cellsOf({ columns, rows }: Table, name: string, column: string): (row: number) => string {
  const index = columns.indexOf(column);
  if (index < 0) malformed(name, `there is no column ${column}`);
  return (row) => rows[row]?.[index] ?? "";
}

/** Rows are named, cells are not shown: they are the site's own data. */
function refuse(name: string, { column }: { readonly column: string }, row: number, what: string): never {
  malformed(name, `${column} of row ${row + 1} ${what}`);
}
