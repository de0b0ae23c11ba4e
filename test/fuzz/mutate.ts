import { type Bytes, concatBytes } from "@photinus/core/bytes";
import type { SeededRandom } from "@photinus/core/testing";
import { PREFIX_BYTES, prefixOf, readFrame } from "@photinus/core/wire";
import { type DerNode, encodeDer, parseDer } from "./der-tree.ts";
import { encodePack, type PackNode, parsePack } from "./msgpack-tree.ts";

/** What the bytes of a target are made of: mutation keeps that form half of the time. */
export type Shape = "der" | "pack" | "frame" | "plain";

/** Values at the edges of forms and lengths. */
const EDGES = [
  0, 1, 0x1f, 0x20, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x90, 0xa0, 0xc0, 0xc4, 0xdc, 0xdf, 0xff,
];
/** Pieces that decoders treat in their own way. */
const PIECES: readonly Bytes[] = [
  [0xc0],
  [0xc1],
  [0xcf, 255, 255, 255, 255, 255, 255, 255, 255],
  [0xd3, 128, 0, 0, 0, 0, 0, 0, 0],
  [0xcb, 127, 240, 0, 0, 0, 0, 0, 0],
  [0xcb, 128, 0, 0, 0, 0, 0, 0, 0],
  [0xa9, 95, 95, 112, 114, 111, 116, 111, 95, 95],
  [0xdd, 255, 255, 255, 255],
  [0xdf, 0, 0, 0, 1],
  [0xd4, 1, 0x92],
  [0xc7, 0, 1],
  [0xd9, 1, 0xff],
  [0xa3, 0xed, 0xa0, 0x80],
  [0x05, 0x00],
  [0x30, 0x80, 0, 0],
  [0x02, 0x01, 0x00],
  [0x02, 0x02, 0x00, 0x7f],
  [0x03, 0x02, 0x07, 0x80],
  [0x01, 0x01, 0xff],
  [0x06, 0x03, 0x55, 0x1d, 0x13],
  [0x31, 0x00],
  [0xa0, 0x03, 0x02, 0x01, 0x02],
  [0x18, 0x0f],
  [0x17, 0x0d],
].map((bytes) => Uint8Array.from(bytes));

/** A tree whose nodes can be put together again. */
interface TreeForm<Node> {
  readonly parse: (bytes: Bytes) => readonly Node[] | undefined;
  readonly encode: (nodes: readonly Node[]) => Bytes;
  readonly itemsOf: (node: Node) => readonly Node[];
  readonly withItems: (node: Node, items: readonly Node[]) => Node;
  readonly altered: (node: Node, random: SeededRandom) => Node;
}

const DER: TreeForm<DerNode> = {
  parse: (bytes) => parseDer(bytes),
  encode: encodeDer,
  itemsOf: ({ children }) => children ?? [],
  withItems: (node, children) => ({ ...node, children }),
  altered: (node, random) =>
    random.integer(4) === 0
      ? { ...node, tag: EDGES[random.integer(EDGES.length)] ?? 0 }
      : { ...node, children: undefined, content: scrambled(node.content, random) },
};

const PACK: TreeForm<PackNode> = {
  parse: parsePack,
  encode: encodePack,
  itemsOf: ({ items }) => items,
  withItems: (node, items) => ({ ...node, items }),
  altered: (node, random) =>
    random.integer(3) === 0
      ? {
          kind: "scalar",
          items: [],
          code: 0,
          encoded: PIECES[random.integer(PIECES.length)] ?? new Uint8Array(1),
        }
      : { ...node, kind: "scalar", encoded: scrambled(encodePack([node]), random) },
};

/** Another input made of one that is known. @param others to splice with */
export function mutate(
  input: Bytes,
  {
    shape,
    others,
    random,
  }: { readonly shape: Shape; readonly others: readonly Bytes[]; readonly random: SeededRandom },
): Bytes {
  let bytes = input;
  for (let count = 1 + random.integer(3); count > 0; count--) {
    const other = others[random.integer(others.length)] ?? bytes;
    bytes =
      (random.integer(2) === 0 ? structured(bytes, shape, random) : undefined) ?? blind(bytes, other, random);
  }
  return bytes.byteLength > 70_000 ? bytes.slice(0, 70_000) : bytes;
}

function structured(bytes: Bytes, shape: Shape, random: SeededRandom): Bytes | undefined {
  switch (shape) {
    case "der":
      return inTree(bytes, DER, random);
    case "pack":
      return inTree(bytes, PACK, random);
    case "frame":
      return inFrame(bytes, random);
    case "plain":
      return undefined;
  }
}

/** One of the parts of a frame, with lengths that add up again. */
function inFrame(bytes: Bytes, random: SeededRandom): Bytes | undefined {
  let frame: ReturnType<typeof readFrame>;
  try {
    frame = readFrame(bytes);
  } catch {
    return undefined; // it is broken already: blind mutation goes on with it
  }
  const parts = { header: frame.header, tag: frame.tag, payload: frame.payload };
  const name = (["header", "header", "payload", "tag"] as const)[random.integer(4)] ?? "header";
  const part = inTree(parts[name], PACK, random) ?? scrambled(parts[name], random);
  parts[name] = part;
  const { header, tag, payload } = parts;
  if (header.byteLength > 65_535 || tag.byteLength > 65_535) return undefined;
  const lengths = { header: header.byteLength, tag: tag.byteLength, payload: payload.byteLength };
  return concatBytes(prefixOf(frame.kind, lengths), header, tag, payload);
}

function inTree<Node>(bytes: Bytes, form: TreeForm<Node>, random: SeededRandom): Bytes | undefined {
  const nodes = form.parse(bytes);
  if (nodes === undefined || nodes.length === 0) return undefined;
  return form.encode(alteredSomewhere(nodes, form, random));
}

/** Goes down a random path and alters, removes, repeats or exchanges what is there. */
function alteredSomewhere<Node>(
  nodes: readonly Node[],
  form: TreeForm<Node>,
  random: SeededRandom,
): readonly Node[] {
  const index = random.integer(nodes.length);
  const node = nodes[index];
  if (node === undefined) return nodes;
  const items = form.itemsOf(node);
  if (items.length > 0 && random.integer(5) !== 0) {
    return nodes.with(index, form.withItems(node, alteredSomewhere(items, form, random)));
  }
  const another = nodes[random.integer(nodes.length)] ?? node;
  switch (random.integer(4)) {
    case 0:
      return nodes.toSpliced(index, 1);
    case 1:
      return nodes.toSpliced(index, 0, another);
    case 2:
      return nodes.with(index, another);
    default:
      return nodes.with(index, form.altered(node, random));
  }
}

function scrambled(bytes: Bytes, random: SeededRandom): Bytes {
  return blind(bytes, PIECES[random.integer(PIECES.length)] ?? bytes, random);
}

/** Changes bytes without knowing what they mean. */
function blind(bytes: Bytes, other: Bytes, random: SeededRandom): Bytes {
  const { byteLength } = bytes;
  const at = random.integer(byteLength + 1);
  const end = Math.min(byteLength, at + 1 + random.integer(16));
  const between = (...inserted: readonly Bytes[]): Bytes =>
    concatBytes(bytes.subarray(0, at), ...inserted, bytes.subarray(end));
  switch (random.integer(9)) {
    case 0:
      return between(Uint8Array.of((bytes[at] ?? 0) ^ (1 << random.integer(8))), bytes.subarray(at + 1, end));
    case 1:
      return between(Uint8Array.of(EDGES[random.integer(EDGES.length)] ?? 0), bytes.subarray(at + 1, end));
    case 2:
      return bytes.slice(0, at);
    case 3:
      return between();
    case 4:
      return between(bytes.subarray(at, end), bytes.subarray(at, end));
    case 5:
      return between(PIECES[random.integer(PIECES.length)] ?? other, bytes.subarray(at, end));
    case 6:
      return concatBytes(bytes.subarray(0, at), other.subarray(random.integer(other.byteLength + 1)));
    case 7:
      return between(random.bytes(end - at));
    default:
      return withNumber(bytes, random);
  }
}

/** A number of two or four bytes, one more or less, or at its edge: lengths are what parsers trust. */
function withNumber(bytes: Bytes, random: SeededRandom): Bytes {
  const altered = Uint8Array.from(bytes);
  const width = random.integer(2) === 0 ? 2 : 4;
  if (altered.byteLength < PREFIX_BYTES) return altered;
  const view = new DataView(altered.buffer);
  const at = random.integer(altered.byteLength - width + 1);
  const step = [1, -1, 255, 65_535, 0x7fff_ffff][random.integer(5)] ?? 1;
  if (width === 2) view.setUint16(at, view.getUint16(at) + step);
  else view.setUint32(at, view.getUint32(at) + step);
  return altered;
}
