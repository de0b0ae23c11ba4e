import { type Bytes, fromHex } from "../../src/bytes/index.ts";
import {
  type Decomposer,
  finiteField,
  integerField,
  recordDecomposer,
  textField,
  unionField,
} from "../../src/decomposer/index.ts";
import { type DType, ParameterSet, Tensor } from "../../src/tensor/index.ts";

/**
 * A value as the published vectors write it: an object with one key, the type. Floats are the hexadecimal of their
 * eight bytes, bytes hexadecimal, 64-bit integers decimal text.
 */
export type Notation = Readonly<Record<string, unknown>>;

/** The record that the vectors show: type id 1000, four fields in this order. */
export class Measurement {
  readonly site: string;
  readonly phase: "train" | "evaluate";
  readonly loss: number;
  readonly steps: number;

  constructor(fields: Pick<Measurement, "site" | "phase" | "loss" | "steps">) {
    this.site = fields.site;
    this.phase = fields.phase;
    this.loss = fields.loss;
    this.steps = fields.steps;
  }
}

export const measurementDecomposer: Decomposer<Measurement> = recordDecomposer({
  id: 1000,
  name: "Measurement",
  type: Measurement,
  fields: {
    site: textField(63),
    phase: unionField(["train", "evaluate"]),
    loss: finiteField(),
    steps: integerField(0, 1_000_000),
  },
  create: (fields) => new Measurement(fields),
});

const view = (hex: string): DataView => new DataView(fromHex(hex).buffer);
const list = (body: unknown): readonly Notation[] => body as readonly Notation[]; // the vectors are ours
const pairs = (body: unknown): readonly (readonly [Notation, Notation])[] =>
  body as readonly (readonly [Notation, Notation])[];
const entries = (body: unknown): readonly (readonly [string, Notation])[] =>
  body as readonly (readonly [string, Notation])[];

interface TensorBody {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: string;
}

const tensor = (body: unknown): Tensor => {
  const { dtype, shape, data } = body as TensorBody;
  return new Tensor(dtype, shape, fromHex(data));
};

const typed =
  <T>(type: { new (buffer: ArrayBuffer): T }) =>
  (body: unknown): T =>
    new type(fromHex(String(body)).buffer);

const MAKERS: Readonly<Record<string, (body: unknown) => unknown>> = {
  null: () => null,
  boolean: (body) => body,
  int: (body) => Number(body),
  float: (body) => view(String(body)).getFloat64(0),
  string: (body) => body,
  bytes: (body): Bytes => fromHex(String(body)),
  array: (body) => list(body).map(fromNotation),
  map: (body) => Object.fromEntries(entries(body).map(([key, value]) => [key, fromNotation(value)])),
  bigint: (body) => BigInt(String(body)),
  Date: (body) => new Date(Number(body)),
  Set: (body) => new Set(list(body).map(fromNotation)),
  Map: (body) => new Map(pairs(body).map(([key, value]) => [fromNotation(key), fromNotation(value)])),
  Tensor: tensor,
  ParameterSet: (body) =>
    new ParameterSet(entries(body).map(([name, value]) => [name, tensor(value["Tensor"])])),
  Int8Array: typed(Int8Array),
  Uint8ClampedArray: typed(Uint8ClampedArray),
  Int16Array: typed(Int16Array),
  Uint16Array: typed(Uint16Array),
  Int32Array: typed(Int32Array),
  Uint32Array: typed(Uint32Array),
  BigInt64Array: typed(BigInt64Array),
  BigUint64Array: typed(BigUint64Array),
  Float32Array: typed(Float32Array),
  Float64Array: typed(Float64Array),
  Measurement: (body) => new Measurement(body as Measurement),
};

/** The value that `notation` stands for. */
export function fromNotation(notation: Notation): unknown {
  const [type = "", body] = Object.entries(notation)[0] ?? [];
  const make = MAKERS[type];
  if (make === undefined) throw new RangeError(`no notation of ${type}`);
  return make(body);
}
