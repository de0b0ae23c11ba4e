import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_POLICY_DOCUMENT } from "@photinus/core/authorization";
import { expect, test } from "vitest";
import samples from "../../core/test/vectors/authorization-samples.json" with { type: "json" };
import { policyJsonSchema } from "../src/commands/policy-schema.ts";
import { folder, run } from "./run-photinus.ts";

const POLICY = `{
  "format_version": "1.0",
  "permissions": {
    "lead": {
      "submit_job": ["o:north", "not n:eve@north.org"],
      "view": "any"
    },
    "Leed": { "vieww": "any" }
  }
}`;

/** A folder with a policy and cases of its own. */
async function files(cases: unknown, policy = POLICY): Promise<{ cases: string; policy: string }> {
  const base = await folder();
  const paths = { cases: join(base, "cases.json"), policy: join(base, "authorization.json") };
  await writeFile(paths.policy, policy);
  await writeFile(paths.cases, typeof cases === "string" ? cases : JSON.stringify(cases));
  return paths;
}

const aCase = (name: string, expected: string, more: object = {}) => ({
  policy: "authorization.json",
  site: { org: "north" },
  user: { name, org: "north", role: "lead" },
  right: "submit_job",
  expect: expected,
  ...more,
});

test("policy test ends with 0 when every case is as expected, and --json gives each decision with its rule", async () => {
  const { cases } = await files([
    aCase("ann@north.org", "allow"),
    aCase("eve@north.org", "deny", { id: "eve" }),
  ]);

  const { code, out } = await run("policy", "test", cases, "--json");

  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    passed: 2,
    failed: 0,
    cases: [
      { id: "case 1", decision: "allow", passed: true, rule: "lead.submit_job", condition: "o:north" },
      {
        id: "eve",
        decision: "deny",
        rule: "lead.submit_job",
        condition: "not n:eve@north.org",
        rulePlace: expect.stringMatching(/authorization\.json:5:33$/),
      },
    ],
  });
});

test("policy test ends with 1 when a case is not as expected, and says which rule of which line decided", async () => {
  const { cases } = await files([aCase("eve@north.org", "allow"), aCase("ann@north.org", "allow")]);

  const { code, out } = await run("policy", "test", cases);

  expect(code).toBe(1);
  expect(out).toMatch(/failed {2}\S+cases\.json:1:2 {2}case 1: submit_job expected allow, got deny/);
  expect(out).toMatch(/lead\.submit_job refuses: not n:eve@north\.org {2}\S+authorization\.json:5:33/);
  expect(out).toContain("1 passed, 1 failed");
});

test("policy test takes policies that stand in the cases, the default one, and submitters", async () => {
  const inline = samples.cases.map(({ policy, note: _, ...rest }) => {
    const policies: Readonly<Record<string, unknown>> = samples.policies;
    return { ...rest, policy: policies[policy] };
  });
  const submitter = { name: "ann@north.org", org: "north" };
  const abort = { policy: "default", right: "abort_job", submitter };
  const { cases } = await files([
    ...inline,
    aCase("ann@north.org", "allow", abort),
    aCase("bob@north.org", "deny", abort),
  ]);

  const { code, out } = await run("policy", "test", cases);

  expect(code, out).toBe(0);
  expect(out).toContain(`${samples.cases.length + 2} passed, 0 failed`);
});

test("what is wrong with cases or a policy ends with 4 and file, line and column", async () => {
  const good = aCase("ann@north.org", "allow");
  const broken = { format_version: "1.0", permissions: { lead: ["any", "r:x"] } };
  for (const [content, said] of [
    ["[", /cases\.json:1:2 /],
    ["{}", /cases\.json:1:1 .*expected Array/],
    ["[]", /cases\.json:1:1 /],
    [[good, { ...good, expct: "deny" }], /cases\.json:1:\d+ 1\.expct is not known: did you mean expect\?/],
    [[{ ...good, expect: "maybe" }], /cases\.json:1:\d+ 0\.expect: expected allow, deny/],
    [[{ ...good, user: { name: "x", org: "y" } }], /cases\.json:1:\d+ 0\.user\.role is missing/],
    [[{ ...good, policy: "none.json" }], /cases\.json:1:2 \S+none\.json is no plain file/],
    [[{ ...good, policy: broken }], /cases\.json:1:\d+ permissions\.lead\.1: conditions are about/],
    [[{ ...good, policy: 1 }], /cases\.json:1:\d+ expected an object/],
  ] as const) {
    const { cases } = await files(content);
    const { code, err } = await run("policy", "test", cases);
    expect([code, err], err).toEqual([4, expect.stringMatching(said)]);
  }
});

test("policy explain says what is decided about a right, by which line, and that it is refused is no failure", async () => {
  const { policy } = await files([]);
  const asked = ["--role", "lead", "--org", "north", "--name", "eve@north.org", "--site-org", "north"];

  const { code, out, err } = await run("policy", "explain", policy, ...asked, "--right", "submit_job");

  expect(code).toBe(0);
  expect(out).toBe(`refused  submit_job  lead.submit_job refuses: not n:eve@north.org  ${policy}:5:33\n`);
  expect(err).toContain(`${policy}:8:5 no certificate has the role leed: did you mean lead?`);
  expect(err).toContain(`${policy}:8:15 no right is called vieww: did you mean view?`);
});

test("policy explain without a right goes through all of them", async () => {
  const asked = ["--role", "lead", "--org", "north", "--name", "ann@north.org", "--site-org", "south"];
  const mine = ["--submitter-name", "ann@north.org", "--submitter-org", "north"];

  const { out } = await run("policy", "explain", "default", ...asked, ...mine);

  expect(out).toMatch(/^allowed {2}abort_job +lead\.manage_job allows: n:submitter {2}default:/m);
  expect(out).toMatch(/^refused {2}restart +lead\.operate allows only: o:site/m);
});

test("policy explain wants both of a submitter, and a policy that can be read", async () => {
  const { policy } = await files([], POLICY.replace('"any"', '"everybody"'));
  const asked = ["--role", "lead", "--org", "north", "--site-org", "north"];

  expect(await run("policy", "explain", "default", ...asked, "--submitter-name", "x")).toMatchObject({
    code: 4,
  });
  const { code, err } = await run("policy", "explain", policy, ...asked);
  expect(code).toBe(4);
  expect(err).toContain(`ERR_POLICY_INVALID ${policy}:6:7 permissions.lead.view: expected any, none`);
});

test("policy default prints a policy to begin with", async () => {
  const { out } = await run("policy", "default");

  expect(JSON.parse(out)).toEqual(DEFAULT_POLICY_DOCUMENT);
});

test("the schema in the documentation is the one that policy schema prints", async () => {
  const file = fileURLToPath(new URL("../../../docs/schema/authorization.schema.json", import.meta.url));

  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(policyJsonSchema());
  expect(JSON.parse((await run("policy", "schema")).out)).toEqual(policyJsonSchema());
});
