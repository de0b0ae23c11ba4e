import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { parseProjectDefinition } from "@photinus/core/provision";
import { describe, expect, test } from "vitest";
import { projectJsonSchema } from "../src/commands/project.ts";
import { askAnswers } from "../src/project/ask-answers.ts";
import { DEFAULT_ANSWERS } from "../src/project/project-template.ts";
import { readProjectDefinition } from "../src/project/read-definition.ts";
import { nearestWord } from "../src/yaml/nearest-word.ts";
import { folder, run } from "./run-photinus.ts";

const GOOD = `name: hospital-fl
server:
  name: hub
  org: central
  hosts: [127.0.0.1]
  port: 8443
sites:
  - { name: site-1, org: north }
  - name: site-2
    org: south
users:
  - { name: alice@example.org, org: central, role: lead }
`;

/** @returns the error of reading the text as a definition, with the file's folder cut off */
async function refusal(text: string): Promise<string> {
  const file = join(await folder(), "project.yml");
  await writeFile(file, text);
  try {
    await readProjectDefinition(file);
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      return `${String(error.code)} ${error.message.replace(file, "project.yml")}`;
    }
  }
  return "taken";
}

describe("project.yml is refused with file, line and column:", () => {
  const cases: readonly (readonly [what: string, text: string, said: string | RegExp])[] = [
    [
      "a value",
      GOOD.replace("lead }", "emperor }"),
      /:12:52 users\.0\.role: expected project_admin, org_admin, lead, member \(got "emperor"\)$/,
    ],
    [
      "a key that is nearly right",
      GOOD.replace("    org: south", "    ogr: south"),
      /:10:5 sites\.1\.ogr is not known: did you mean org\?$/,
    ],
    [
      "a key that is unlike all",
      `${GOOD}color: red\n`,
      /:13:1 color is not known: expected one of name, key, rootKey/,
    ],
    ["a key that is missing", GOOD.replace("    org: south\n", ""), /:9:5 sites\.1\.org is missing$/],
    [
      "a whole part that is missing",
      GOOD.replace(/server:[\s\S]*?sites/, "sites"),
      /:1:1 server is missing$/,
    ],
    [
      "a list in place of a map",
      GOOD.replace(/server:[\s\S]*?sites/, "server: [hub]\nsites"),
      /:2:10 server\.0 is not known/,
    ],
    [
      "text in place of a number",
      GOOD.replace("8443", "https"),
      /:6:9 server\.port: expected number \(got "https"\)$/,
    ],
    ["a port out of range", GOOD.replace("8443", "84430"), /:6:9 server\.port: .*\(got 84430\)$/],
    [
      "a name that leads out of a folder",
      GOOD.replace("site-1", "../site-1"),
      /:8:13 sites\.0\.name: expected a-z/,
    ],
    [
      "a name that is an address",
      GOOD.replace("site-1", "all"),
      /:8:13 sites\.0\.name: server, all and enrol are reserved/,
    ],
    [
      "two participants of one name",
      GOOD.replace("site-2", "site-1"),
      /:9:11 sites\.1\.name: two participants have the same name site-1/,
    ],
    [
      "a key twice",
      GOOD.replace("  port: 8443", "  port: 8443\n  port: 8444"),
      /:7:3 Map keys must be unique$/,
    ],
    ["a bracket that does not close", GOOD.replace("[127.0.0.1]", "[127.0.0.1"), /:\d+:\d+ /],
    [
      "an alias",
      GOOD.replace("name: hub", "name: &a hub").replace("org: central\n", "org: *a\n"),
      /:4:8 aliases are not taken/,
    ],
    ["a tag", GOOD.replace("hub", "!!js/function hub"), /:3:9 Unresolved tag/],
    ["a second document", `${GOOD}---\n${GOOD}`, /:\d+:1 Source contains multiple documents/],
    ["nothing", "", /:1:1 the document: expected Object \(got nothing\)$/],
    [
      "a file of CAs that is not there",
      GOOD.replace("port: 8443", "port: 8443\n  tlsCa: none.pem"),
      /:7:10 server\.tlsCa: none\.pem is no file of certificates/,
    ],
    [
      "a file of CAs that is something else",
      GOOD.replace("port: 8443", "port: 8443\n  tlsCa: project.yml"),
      /:7:10 server\.tlsCa: project\.yml is no file of certificates/,
    ],
    [
      "an address in clear where the security is TLS",
      GOOD.replace("site-1, org", "site-1, addresses: [ws://a/ws], org"),
      /:8:33 sites\.0\.addresses\.0: an address for security mtls begins with wss:\/\/ \(got "ws:\/\/a\/ws"\)$/,
    ],
  ];

  test.each(cases)("%s", async (_what, text, said) => {
    expect(await refusal(text)).toMatch(said);
    expect(await refusal(text)).toMatch(/^ERR_PROJECT_INVALID project\.yml:\d+:\d+ /);
  });

  test("an alias bomb, at once", async () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}]`,
    );

    expect(await refusal(`a0: &a0 x\n${levels.join("\n")}\n`)).toMatch(/:2:10 aliases are not taken/);
  });

  test("a file that is too large, and nesting that is too deep", async () => {
    expect(await refusal(`${GOOD}#${"x".repeat(1_048_576)}`)).toMatch(/:1:1 larger than 1048576 bytes/);
    expect(await refusal(`a: ${"[".repeat(500_000)}`)).toMatch(/:1:\d+ nested too deeply/);
    expect(await refusal(`a: ${"{a: ".repeat(250_000)}`)).toMatch(/:1:\d+ nested too deeply/);
    expect(await refusal("- ".repeat(500_000))).toMatch(/:1:\d+ nested too deeply/);
  });
});

test("the command tells the place and a remedy, and makes nothing", async () => {
  const base = await folder();
  await writeFile(join(base, "project.yml"), GOOD.replace("role: lead", "role: emperor"));

  const { code, err } = await run("provision", join(base, "project.yml"), "-o", join(base, "fl"));

  expect(code).toBe(4);
  expect(err).toMatch(
    /^ERR_PROJECT_INVALID .*project\.yml:12:52 users\.0\.role: .*\n {2}Remedy: .*photinus project schema/,
  );
  await expect(stat(join(base, "fl"))).rejects.toThrow();
});

test("a file of CAs beside the definition is taken by its name", async () => {
  const base = await folder();
  const pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  await writeFile(join(base, "proxy-ca.pem"), pem);
  await writeFile(join(base, "project.yml"), GOOD.replace("port: 8443", "port: 8443\n  tlsCa: proxy-ca.pem"));

  expect((await readProjectDefinition(join(base, "project.yml"))).server.tlsCa).toBe(pem);
});

describe("photinus init", () => {
  test("writes a definition that provision takes, with what the options say", async () => {
    const base = await folder();
    const said = [
      "--name",
      "trial",
      "--host",
      "fl.example.org",
      "--sites",
      "3",
      "--admin",
      "ada@example.org",
    ];

    const { code, err } = await run("init", join(base, "new"), "--yes", ...said);
    const made = await run("provision", join(base, "new", "project.yml"), "-o", join(base, "fl"), "--json");

    expect([code, made.code], err + made.err).toEqual([0, 0]);
    expect(JSON.parse(made.out)).toMatchObject({
      project: "trial",
      kits: ["hub", "site-1", "site-2", "site-3", "ada@example.org"],
    });
  });

  test("asks nothing where nobody can answer, and never writes over a file", async () => {
    const base = await folder();

    const first = await run("init", base);
    const before = await readFile(join(base, "project.yml"), "utf8");
    const second = await run("init", base, "--name", "other");

    expect([first.code, second.code]).toEqual([0, 4]);
    expect(await readFile(join(base, "project.yml"), "utf8")).toBe(before);
  });

  test("refuses an answer that no project may have, and writes nothing", async () => {
    const base = await folder();

    const { code, err } = await run("init", join(base, "new"), "--name", "../up");

    expect(code).toBe(4);
    expect(err).toMatch(/^ERR_PROJECT_INVALID name: expected a-z/);
    await expect(stat(join(base, "new"))).rejects.toThrow();
  });

  test("asks on a terminal, one thing after another, and takes what is typed or offered", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    output.resume();
    const asking = askAnswers({ ...DEFAULT_ANSWERS, name: "trial" }, { input, output });
    for (const typed of ["", "-x", "", "", "", ""]) {
      await new Promise((resolve) => setImmediate(resolve));
      input.write(`${typed}\r`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }

    expect(await asking).toEqual({ ...DEFAULT_ANSWERS, name: "trial", org: "central-x" });
  });

  test("writes nothing when the person ends it", async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    output.resume();
    const asking = askAnswers(DEFAULT_ANSWERS, { input, output });
    await new Promise((resolve) => setImmediate(resolve));
    input.write("\u0003");

    await expect(asking).rejects.toMatchObject({ code: "ERR_CANCELLED" });
  });
});

describe("the JSON Schema of project.yml", () => {
  test("is what docs/schema holds; photinus project schema prints it", async () => {
    const file = fileURLToPath(new URL("../../../docs/schema/project.schema.json", import.meta.url));
    const committed = await readFile(file, "utf8");

    const { out } = await run("project", "schema");

    expect(JSON.parse(committed)).toEqual(JSON.parse(JSON.stringify(projectJsonSchema())));
    expect(JSON.parse(out)).toEqual(JSON.parse(committed));
  });

  test("names every field that the definition has", () => {
    const text = JSON.stringify(projectJsonSchema());

    for (const field of [
      "rootKey",
      "validity",
      "tlsCa",
      "jurisdiction",
      "addresses",
      "security",
      "adapters",
    ]) {
      expect(text, field).toContain(`"${field}"`);
    }
    expect(() => parseProjectDefinition({})).toThrow();
  });
});

test("the nearest word is one that differs by a slip, or none", () => {
  expect(nearestWord("securty", ["security", "sites"])).toBe("security");
  expect(nearestWord("hsots", ["hosts", "port"])).toBe("hosts");
  expect(nearestWord("Org", ["org", "name"])).toBe("org");
  expect(nearestWord("color", ["org", "name"])).toBeUndefined();
  expect(nearestWord("x".repeat(10_000), ["org"])).toBeUndefined();
});
