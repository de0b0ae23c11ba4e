import type { Bytes } from "../bytes/index.ts";
import { end } from "./instructions.ts";
import { unsigned } from "./leb128.ts";

/** Value types of WebAssembly (core specification 2.0, 5.3.1 and 5.3.2). */
export type ValueType = "i32" | "f32" | "f64" | "v128";

const VALUE_TYPE: Readonly<Record<ValueType, number>> = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b };

/** One instruction with its immediates, or several in a row. */
export type Code = readonly number[];

/** One function of a module. */
export interface WasmFunction {
  /** Name under which it is exported. */
  readonly name: string;
  readonly parameters: readonly ValueType[];
  readonly results: readonly ValueType[];
  readonly locals: readonly ValueType[];
  /** Instructions as instructions.ts writes them, without the final `end`. */
  readonly body: readonly Code[];
}

const vector = (items: readonly (readonly number[])[]): number[] => [
  ...unsigned(items.length),
  ...items.flat(),
];
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...unsigned(content.length),
  ...content,
];
const name = (text: string): number[] => vector([...text].map((character) => [character.charCodeAt(0)]));

/** Of a memory: one page at least, 4 GiB at most. */
const LIMITS: readonly number[] = [0x01, ...unsigned(1), ...unsigned(65_536)];

/** The bytes of a module with these functions; its memory is imported as `kernels.memory`. */
export function assembleModule(functions: readonly WasmFunction[]): Bytes {
  const types = functions.map(({ parameters, results }) => [
    0x60,
    ...vector(parameters.map((type) => [VALUE_TYPE[type]])),
    ...vector(results.map((type) => [VALUE_TYPE[type]])),
  ]);
  const exports = functions.map((each, index) => [...name(each.name), 0x00, ...unsigned(index)]);
  const code = functions.map(({ locals, body }) => {
    const content = [...vector(locals.map((type) => [1, VALUE_TYPE[type]])), ...body.flat(), ...end];
    return [...unsigned(content.length), ...content];
  });
  const imports = [[...name("kernels"), ...name("memory"), 0x02, ...LIMITS]];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector(imports)),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector(exports)),
    ...section(10, vector(code)),
  ]);
}
