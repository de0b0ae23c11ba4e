import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { aFolder, aHost } from "./host.ts";
import { rawRequest } from "./raw-request.ts";

const PAGES = {
  "index.html": "<!doctype html><title>dashboard</title>",
  "join.html": "<!doctype html><title>join</title>",
  "assets/app-Ab3_x9Qz.js": "export {};",
  "assets/ort-Ab3_x9Qz.wasm": "wasm",
  "about/index.html": "about",
};

test("serves the dashboard at / and the join page at /join", async () => {
  const { get } = await aHost({ pages: await aFolder(PAGES) });

  expect(await (await get("/")).text()).toContain("dashboard");
  expect(await (await get("/join")).text()).toContain("join");
  expect(await (await get("/about/")).text()).toBe("about");
});

test("names media types and forbids guessing them", async () => {
  const { get } = await aHost({ pages: await aFolder(PAGES) });

  expect((await get("/")).headers.get("content-type")).toBe("text/html; charset=utf-8");
  const script = await get("/assets/app-Ab3_x9Qz.js");
  expect(script.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
  expect((await get("/assets/ort-Ab3_x9Qz.wasm")).headers.get("content-type")).toBe("application/wasm");
  expect(script.headers.get("x-content-type-options")).toBe("nosniff");
});

test("isolates pages and allows them no code of another origin or from strings", async () => {
  const { get } = await aHost({ pages: await aFolder(PAGES) });

  const { headers } = await get("/");

  expect(headers.get("cross-origin-opener-policy")).toBe("same-origin");
  expect(headers.get("cross-origin-embedder-policy")).toBe("require-corp");
  expect(headers.get("referrer-policy")).toBe("no-referrer");
  const policy = headers.get("content-security-policy");
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:|\*/);
});

test("caches files with a hash in their name for ever, and asks again for the others", async () => {
  const { get } = await aHost({ pages: await aFolder(PAGES) });

  expect((await get("/assets/app-Ab3_x9Qz.js")).headers.get("cache-control")).toContain("immutable");
  const page = await get("/");
  expect(page.headers.get("cache-control")).toBe("no-cache");
  const again = await get("/", { headers: { "if-none-match": page.headers.get("etag") ?? "" } });
  expect(again.status).toBe(304);
  expect(await again.text()).toBe("");
});

test("sends the stored compressed form that the client prefers", async () => {
  const folder = await aFolder(PAGES);
  const file = join(folder, "assets/app-Ab3_x9Qz.js");
  await writeFile(`${file}.br`, brotliCompressSync("export {};"));
  await writeFile(`${file}.gz`, gzipSync("export {};"));
  const { get } = await aHost({ pages: folder });
  const encoding = async (accept: string): Promise<string | null> => {
    const response = await get("/assets/app-Ab3_x9Qz.js", { headers: { "accept-encoding": accept } });
    expect(await response.text()).toBe("export {};");
    expect(response.headers.get("vary")).toBe("accept-encoding");
    return response.headers.get("content-encoding");
  };

  expect(await encoding("gzip, br")).toBe("br");
  expect(await encoding("gzip")).toBe("gzip");
  expect(await encoding("br;q=0, gzip;q=0.5")).toBe("gzip");
  expect(await encoding("identity")).toBeNull();
});

test("answers HEAD with the headers of GET and no body", async () => {
  const { get } = await aHost({ pages: await aFolder(PAGES) });

  const head = await get("/", { method: "HEAD" });

  expect(head.headers.get("content-length")).toBe(String(PAGES["index.html"].length));
  expect(await head.text()).toBe("");
});

test.each([
  "/../secret.txt",
  "/%2e%2e/secret.txt",
  "/..%2fsecret.txt",
  "/assets/..%5c..%5csecret.txt",
  "//etc/passwd",
  "/%00",
  "/%ff",
  "/link.txt",
  "/missing",
])("refuses %s: only files of the folder are served", async (path) => {
  const folder = await aFolder({
    "secret.txt": "secret",
    "pages/index.html": "page",
    "pages/link.txt": "->../secret.txt",
  });
  const { port } = await aHost({ pages: join(folder, "pages") });

  const answer = await rawRequest(port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);

  expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  expect(answer).not.toContain("secret\r\n");
  expect(answer).toContain('"code":"ERR_NOT_FOUND"');
});

test.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])(
  "refuses %s: the interface is read-only",
  async (method) => {
    const { get } = await aHost({ pages: await aFolder(PAGES) });

    const response = await get("/", { method });

    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("GET, HEAD");
    expect(await response.json()).toMatchObject({
      code: "ERR_METHOD_NOT_ALLOWED",
      remedy: expect.any(String),
    });
  },
);

test("refuses to serve pages in clear off loopback", async () => {
  await expect(aHost({ host: "0.0.0.0", pages: await aFolder(PAGES) })).rejects.toMatchObject({
    code: "ERR_CLEAR_NOT_LOOPBACK",
  });
});

test("answers while the pages are still being built, and serves them once they are there", async () => {
  let finish: (folder: string) => void = () => undefined;
  const pages = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const { get } = await aHost({ pages });

  const page = get("/");
  expect((await get("/healthz")).status).toBe(200);
  finish(await aFolder(PAGES));

  expect((await page).status).toBe(200);
});

test("serves example data under /demo/ and nothing else of it", async () => {
  const { get } = await aHost({
    demo: await aFolder({ "images.gz": "gz" }),
    pages: await aFolder({ ...PAGES, "secret.txt": "s" }),
  });

  expect((await get("/demo/images.gz")).headers.get("content-type")).toBe("application/gzip");
  expect((await get("/demo/images.gz")).headers.get("content-encoding")).toBeNull();
  expect((await get("/demo/secret.txt")).status).toBe(404);
});

test("says 500 without a path or a stack when the pages cannot be read", async () => {
  const { get } = await aHost({ pages: "/nowhere/at/all" });

  const response = await get("/");

  expect(response.status).toBe(500);
  expect(await response.text()).not.toMatch(/nowhere|at .*\.ts/);
});
