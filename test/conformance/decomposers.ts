import {
  arrayHead,
  type Item,
  mapHead,
  readItem,
  writeInteger,
  writePlain,
  writeRegistered,
  writeText,
} from "./message-pack.ts";
import { demand } from "./refused.ts";

/** A value as the vectors write it: one key, the type. */
export type Notation = Readonly<Record<string, unknown>>;

const REFUSED = 4019;

/** Types whose fields are bytes, by id: name and bytes of an element. */
const ARRAYS: Readonly<Record<number, readonly [name: string, size: number]>> = {
  10: ["Int8Array", 1],
  11: ["Int16Array", 2],
  12: ["Uint16Array", 2],
  13: ["Int32Array", 4],
  14: ["Uint32Array", 4],
  15: ["BigInt64Array", 8],
  16: ["BigUint64Array", 8],
  17: ["Float32Array", 4],
  18: ["Float64Array", 8],
  19: ["Uint8ClampedArray", 1],
};

const DTYPES: Readonly<Record<string, number>> = {
  f32: 4,
  f16: 2,
  bf16: 2,
  f64: 8,
  i8: 1,
  u8: 1,
  i16: 2,
  i32: 4,
  u32: 4,
  i64: 8,
  u64: 8,
  bool: 1,
};

/** The value that the bytes of a body stand for. */
export function decodeBody(bytes: Buffer): Notation {
  return notationOf(readItem(bytes));
}

function notationOf(item: Item): Notation {
  switch (item.kind) {
    case "nil":
      return { null: null };
    case "boolean":
      return { boolean: item.value };
    case "integer":
      return { int: item.value.toString() };
    case "float":
      return { float: item.bytes.toString("hex") };
    case "text":
      return { string: item.value };
    case "bytes":
      return { bytes: item.value.toString("hex") };
    case "array":
      return { array: item.items.map(notationOf) };
    case "map":
      return { map: item.entries.map(([key, value]) => [key, notationOf(value)]) };
    case "registered":
      return registered(item.id, item.fields);
  }
}

function registered(id: number, fields: Item): Notation {
  const array = ARRAYS[id];
  if (array !== undefined) return typedArray(array, fields);
  switch (id) {
    case 1:
      demand(fields.kind === "integer", REFUSED, "no integer");
      demand(fields.value >= -(2n ** 63n) && fields.value < 2n ** 64n, REFUSED, "more than 64 bits");
      return { bigint: fields.value.toString() };
    case 2:
      demand(fields.kind === "integer", REFUSED, "no time");
      demand(Math.abs(Number(fields.value)) <= 8.64e15, REFUSED, "outside the range of dates");
      return { Date: Number(fields.value) };
    case 3:
      return { Set: distinct(itemsOf(fields)).map(notationOf) };
    case 4:
      return { Map: pairsOf(fields) };
    case 5:
      return { Tensor: tensor(fields) };
    case 6:
      return { ParameterSet: parameters(fields) };
    case 1000:
      return { Measurement: measurement(fields) };
    default:
      demand(false, REFUSED, `type ${id} is not registered`);
  }
}

function itemsOf(fields: Item): readonly Item[] {
  demand(fields.kind === "array", REFUSED, "no array");
  return fields.items;
}

/** No scalar twice, no -0. Values that are no scalars are all different. */
function distinct(items: readonly Item[]): readonly Item[] {
  const scalars = items.filter(({ kind }) => !["array", "map", "registered", "bytes"].includes(kind));
  const texts = scalars.map((item) => JSON.stringify(notationOf(item)));
  demand(new Set(texts).size === texts.length, REFUSED, "twice");
  demand(!texts.includes('{"float":"8000000000000000"}'), REFUSED, "-0");
  return items;
}

function pairsOf(fields: Item): readonly (readonly [Notation, Notation])[] {
  const items = itemsOf(fields);
  demand(items.length % 2 === 0, REFUSED, "a key without a value");
  distinct(items.filter((_, index) => index % 2 === 0));
  const described = items.map(notationOf);
  return described.flatMap((key, index) => {
    const value = described[index + 1];
    return index % 2 === 0 && value !== undefined ? [[key, value] as const] : [];
  });
}

function typedArray([name, size]: readonly [string, number], fields: Item): Notation {
  demand(fields.kind === "bytes" && fields.value.length % size === 0, REFUSED, "no whole elements");
  return { [name]: fields.value.toString("hex") };
}

function tensor(fields: Item): Notation {
  const [dtype, shape, data, ...more] = itemsOf(fields);
  demand(dtype?.kind === "text" && data?.kind === "bytes" && more.length === 0, REFUSED, "no tensor");
  const size = DTYPES[dtype.value];
  const dimensions = shape === undefined ? [] : itemsOf(shape);
  demand(size !== undefined && dimensions.length <= 8, REFUSED, "no such tensor");
  const counts = dimensions.map((item) => {
    demand(item.kind === "integer" && item.value >= 0n, REFUSED, "no dimension");
    return Number(item.value);
  });
  const expected = size * counts.reduce((product, count) => product * count, 1);
  demand(data.value.length === expected, REFUSED, "bytes that do not fit the shape");
  demand(dtype.value !== "bool" || data.value.every((byte) => byte <= 1), REFUSED, "neither true nor false");
  return { dtype: dtype.value, shape: counts, data: data.value.toString("hex") };
}

function parameters(fields: Item): readonly (readonly [string, Notation])[] {
  const items = itemsOf(fields);
  demand(items.length % 2 === 0, REFUSED, "a name without a tensor");
  const entries: (readonly [string, Notation])[] = [];
  for (let index = 0; index < items.length; index += 2) {
    const [name, value] = items.slice(index, index + 2);
    demand(name?.kind === "text" && name.value.length >= 1 && name.value.length <= 512, REFUSED, "no name");
    demand(value?.kind === "registered" && value.id === 5, REFUSED, "no tensor");
    entries.push([name.value, { Tensor: tensor(value.fields) }]);
  }
  demand(new Set(entries.map(([name]) => name)).size === entries.length, REFUSED, "a name twice");
  return entries;
}

const PHASES = ["train", "evaluate"];

/** The record of the vectors: an application knows its own. */
function measurement(fields: Item): Notation {
  const [site, phase, loss, steps, ...more] = itemsOf(fields);
  demand(site?.kind === "text" && site.value.length <= 63, REFUSED, "no site");
  demand(phase?.kind === "integer" && phase.value >= 0n && phase.value < 2n, REFUSED, "no phase");
  demand(loss?.kind === "float" || loss?.kind === "integer", REFUSED, "no loss");
  demand(steps?.kind === "integer" && more.length === 0, REFUSED, "no steps");
  return {
    site: site.value,
    phase: PHASES[Number(phase.value)],
    loss: loss.kind === "float" ? loss.bytes.readDoubleBE() : Number(loss.value),
    steps: Number(steps.value),
  };
}

const float = (hex: string): Buffer => Buffer.concat([Buffer.of(0xcb), Buffer.from(hex, "hex")]);
const hex = (body: unknown): Buffer => Buffer.from(String(body), "hex");
const list = (body: unknown): readonly Notation[] => body as readonly Notation[]; // of the vectors, or decoded before
const entriesOf = (body: unknown): readonly (readonly [string, Notation])[] =>
  body as readonly (readonly [string, Notation])[];

interface TensorBody {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string;
}

function writeTensor(body: unknown): Buffer {
  const { dtype, shape, data } = body as TensorBody;
  return writeRegistered(5, writePlain([dtype, shape, hex(data)]));
}

const joined = (items: readonly Buffer[]): Buffer => Buffer.concat([arrayHead(items.length), ...items]);

const WRITERS: Readonly<Record<string, (body: unknown) => Buffer>> = {
  null: () => writePlain(null),
  boolean: (body) => writePlain(body === true),
  int: (body) => writeInteger(BigInt(String(body))),
  float: (body) => float(String(body)),
  string: (body) => writeText(String(body)),
  bytes: (body) => writePlain(hex(body)),
  array: (body) => joined(list(body).map(encodeBody)),
  map: (body) => {
    const entries = entriesOf(body).toSorted(([left], [right]) => (left < right ? -1 : 1));
    const written = entries.flatMap(([key, value]) => [writeText(key), encodeBody(value)]);
    return Buffer.concat([mapHead(entries.length), ...written]);
  },
  bigint: (body) => writeRegistered(1, writeInteger(BigInt(String(body)))),
  Date: (body) => writeRegistered(2, writeInteger(BigInt(Number(body)))),
  Set: (body) => writeRegistered(3, joined(list(body).map(encodeBody))),
  Map: (body) =>
    writeRegistered(4, joined((body as readonly (readonly Notation[])[]).flat().map(encodeBody))),
  Tensor: writeTensor,
  ParameterSet: (body) =>
    writeRegistered(
      6,
      joined(entriesOf(body).flatMap(([name, value]) => [writeText(name), writeTensor(value["Tensor"])])),
    ),
  Measurement: (body) => {
    const { site, phase, loss, steps } = body as { site: string; phase: string; loss: number; steps: number };
    const bits = Buffer.alloc(8);
    bits.writeDoubleBE(loss);
    const fields = [
      writeText(site),
      writePlain(PHASES.indexOf(phase)),
      float(bits.toString("hex")),
      writePlain(steps),
    ];
    return writeRegistered(1000, joined(fields));
  },
};

/** The bytes of a body. */
export function encodeBody(notation: Notation): Buffer {
  const [type = "", body] = Object.entries(notation)[0] ?? [];
  const array = Object.entries(ARRAYS).find(([, [name]]) => name === type);
  if (array !== undefined) return writeRegistered(Number(array[0]), writePlain(hex(body)));
  const write = WRITERS[type];
  if (write === undefined) throw new TypeError(`no type ${type}`);
  return write(body);
}
