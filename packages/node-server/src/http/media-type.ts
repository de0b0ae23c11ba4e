/** Media types of what pages are made of, by file extension. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".gz": "application/gzip",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};

/** Media type of a file; bytes that no program may guess about when the extension is unknown. */
export function mediaTypeOf(extension: string): string {
  return MEDIA_TYPES[extension.toLowerCase()] ?? "application/octet-stream";
}

/** True for names with a hash of the content, as the build of the pages makes them: `name-Ab3_x9Qz.js`. */
export function isImmutable(name: string): boolean {
  return /\/assets\/.*[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/.test(name);
}
