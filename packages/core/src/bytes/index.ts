export { type Bytes, concatBytes, equalBytes, toBytes } from "./bytes.ts";
export { crc32 } from "./crc32.ts";
export { decompress } from "./decompress.ts";
export { packBytes, unpackBytes } from "./packed.ts";
export { SparseMap, SparseSet } from "./sparse-map.ts";
export { fromBase64, fromBase64Url, fromHex, fromUtf8, toBase64, toBase64Url, toHex, utf8 } from "./text.ts";
export { readZipDirectory, unpackZipEntry, type ZipEntry, type ZipLimits } from "./zip.ts";
