import { type Bytes, concatBytes } from "@photinus/core/bytes";

/** One DER value taken apart: a constructed one has children, another its content. */
export interface DerNode {
  readonly tag: number;
  readonly children: readonly DerNode[] | undefined;
  readonly content: Bytes;
}

/** The values in `bytes`, as far as their lengths allow; `undefined` when these are no such values. */
export function parseDer(bytes: Bytes, depth = 0): readonly DerNode[] | undefined {
  const nodes: DerNode[] = [];
  for (let offset = 0; offset < bytes.byteLength; ) {
    const header = headerAt(bytes, offset);
    if (header === undefined || depth > 20) return undefined;
    const { tag, start, end } = header;
    const content = bytes.subarray(start, end);
    const children = (tag & 0x20) === 0 ? undefined : parseDer(content, depth + 1);
    nodes.push({ tag, children, content });
    offset = end;
  }
  return nodes;
}

function headerAt(bytes: Bytes, offset: number): { tag: number; start: number; end: number } | undefined {
  const [tag, first] = [bytes[offset], bytes[offset + 1]];
  if (tag === undefined || first === undefined) return undefined;
  const digits = first < 0x80 ? 0 : first & 0x7f;
  if (digits > 3 || first === 0x80) return undefined;
  let length = digits === 0 ? first : 0;
  for (let index = 0; index < digits; index++) length = length * 256 + (bytes[offset + 2 + index] ?? 0);
  const start = offset + 2 + digits;
  return start + length > bytes.byteLength ? undefined : { tag, start, end: start + length };
}

/** The values with lengths that fit. */
export function encodeDer(nodes: readonly DerNode[]): Bytes {
  return concatBytes(
    ...nodes.map(({ tag, children, content }) => {
      const body = children === undefined ? content : encodeDer(children);
      return concatBytes(Uint8Array.of(tag, ...lengthOf(body.byteLength)), body);
    }),
  );
}

function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  if (length < 0x10000) return [0x82, length >> 8, length & 255];
  return [0x83, length >> 16, (length >> 8) & 255, length & 255];
}
