import { join } from "node:path";
import { nodeCrypto } from "@photinus/node-platform";
import { type Browser, chromium, type Page } from "@playwright/test";
import { build, defaultClientConditions } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ROOT } from "../../scripts/process.ts";
import { createParty, type Party } from "./party.ts";

/** Bytes sealed in one runtime open in the other: Node with node:crypto, Chromium with WebCrypto. */

const STEPS = ["writeMessage", "readMessage", "split", "sealRecord", "openRecord", "sign", "verify"];
const ONE_WAY = ["sealBlob", "openBlob", "sealObject", "openObject", "encodeSample", "encodeAgain"];
const END_TO_END = ["publishKey", "packForSealing", "sealFor", "openFrom"];

let browser: Browser;
let page: Page;

async function bundle(): Promise<string> {
  const built = await build({
    root: ROOT,
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["@photinus/source", ...defaultClientConditions] },
    build: {
      write: false,
      target: "es2022",
      minify: false,
      lib: { entry: join(ROOT, "test/interop/page.ts"), formats: ["iife"], name: "interop" },
    },
  });
  const [result] = Array.isArray(built) ? built : [built];
  const file = result !== undefined && "output" in result ? result.output[0] : undefined;
  if (file?.type !== "chunk") throw new Error("the page was not built");
  return file.code;
}

beforeAll(async () => {
  const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  page = await browser.newPage();
  // Nothing leaves the machine: the page comes from here, under https, where WebCrypto exists.
  await page.route("https://photinus.test/", (route) =>
    route.fulfill({ contentType: "text/html", body: "" }),
  );
  await page.goto("https://photinus.test/");
  await page.addScriptTag({ content: await bundle() });
}, 60_000);

afterAll(() => browser?.close());

async function pageParty(initiator: boolean): Promise<Party> {
  await page.evaluate(`createParty(${initiator}).then((party) => { globalThis.party = party; })`);
  const call = (step: string) => (input: string) =>
    page.evaluate<string>(`globalThis.party.${step}(${JSON.stringify(input)})`);
  return Object.fromEntries([...STEPS, ...ONE_WAY, ...END_TO_END].map((step) => [step, call(step)]));
}

const step = (party: Party, name: string, input = ""): Promise<string> => {
  const act = party[name];
  if (act === undefined) throw new TypeError(`no step ${name}`);
  return act(input);
};

describe.for(["Node", "the page"])("with %s as the first to speak", (first) => {
  async function parties(): Promise<readonly [speaker: Party, answerer: Party]> {
    const inNode = await createParty(nodeCrypto(), first === "Node");
    const inPage = await pageParty(first !== "Node");
    return first === "Node" ? [inNode, inPage] : [inPage, inNode];
  }

  test("the handshake ends in one session, whose frames open on the other side", async () => {
    const [speaker, answerer] = await parties();

    expect(await step(answerer, "readMessage", await step(speaker, "writeMessage", "one"))).toBe("one");
    expect(await step(speaker, "readMessage", await step(answerer, "writeMessage", "two"))).toBe("two");
    expect(await step(answerer, "readMessage", await step(speaker, "writeMessage", "three"))).toBe("three");

    expect(await step(speaker, "split")).toBe(await step(answerer, "split"));
    for (const inner of ["first", "second"]) {
      expect(await step(answerer, "openRecord", await step(speaker, "sealRecord", inner))).toBe(inner);
      expect(await step(speaker, "openRecord", await step(answerer, "sealRecord", inner))).toBe(inner);
    }
  });

  test.for(["1", "2", "3"])("a signature of algorithm %s verifies on the other side", async (algorithm) => {
    const [speaker, answerer] = await parties();

    expect(await step(answerer, "verify", await step(speaker, "sign", algorithm))).toBe("true");
  });

  test("an object opens on the other side, its certificates verified there", async () => {
    const [speaker, answerer] = await parties();

    const opened = await step(answerer, "openObject", await step(speaker, "sealObject", "c0ffee"));

    expect(opened).toBe("lead@example.org c0ffee");
  });

  test("a sealed blob opens on the other side", async () => {
    const [speaker, answerer] = await parties();
    const content = "0123456789abcdef".repeat(10_000);

    expect(await step(answerer, "openBlob", await step(speaker, "sealBlob", content))).toBe(content);
  });

  test("content sealed end to end opens on the other side, its sender proved there", async () => {
    const [speaker, answerer] = await parties();
    const content = "fedcba9876543210".repeat(10_000);
    const published = await step(answerer, "publishKey");
    const wanted = await step(speaker, "packForSealing", `${published} ${content}`);

    const opened = await step(answerer, "openFrom", await step(speaker, "sealFor", wanted));

    expect(opened).toBe(`1.5 12 ${content}`);
  });

  test("every type that travels has the same bytes on both sides", async () => {
    const [speaker, answerer] = await parties();
    const encoded = await step(speaker, "encodeSample");

    expect(await step(answerer, "encodeSample")).toBe(encoded);
    expect(await step(answerer, "encodeAgain", encoded)).toBe(encoded);
  });
});
