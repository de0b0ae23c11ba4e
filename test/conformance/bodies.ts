import { decodeBody, type Notation } from "./decomposers.ts";
import type { Frame } from "./frame.ts";
import { demand } from "./refused.ts";

/** A body: fields by name. */
export type Body = Readonly<Record<string, Notation>>;

export const text = (value: string): Notation => ({ string: value });
export const int = (value: number): Notation => ({ int: String(value) });
export const map = (entries: Body): Notation => ({ map: Object.entries(entries) });
export const bytes = (value: Buffer): Notation => ({ bytes: value.toString("hex") });

export const bodyOf = (frame: Frame): Body => {
  const { map: entries } = decodeBody(frame.payload);
  return Object.fromEntries(entries as readonly (readonly [string, Notation])[]); // bodies are maps
};
export const field = (body: Body, key: string): Notation => {
  const value = body[key];
  demand(value !== undefined, 4019, `no ${key}`);
  return value;
};
export const textOf = (body: Body, key: string): string => String(field(body, key)["string"]);
export const bytesOf = (body: Body, key: string): Buffer =>
  Buffer.from(String(field(body, key)["bytes"]), "hex");
export const numberOf = (body: Body, key: string): number => Number(field(body, key)["int"]);
export const innerOf = (body: Body, key: string): Body =>
  Object.fromEntries(field(body, key)["map"] as readonly (readonly [string, Notation])[]);

/** A number: a safe integer travels as an integer, any other as float64. */
export function number(value: number): Notation {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return int(value);
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value);
  return { float: bits.toString("hex") };
}
