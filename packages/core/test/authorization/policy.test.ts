import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  categoryOf,
  defaultPolicy,
  evaluatePolicy,
  MAX_POLICY_CONDITIONS,
  MAX_POLICY_ENTRIES,
  MAX_POLICY_TEXT,
  type PolicyQuestion,
  parsePolicy,
  RIGHT_CATEGORIES,
} from "../../src/authorization/index.ts";
import samples from "../vectors/authorization-samples.json" with { type: "json" };

const read = (permissions: unknown) =>
  parsePolicy({ format_version: "1.0", permissions }, (path) => `at ${path.join("/")}`);

const question = (change: Partial<PolicyQuestion> = {}): PolicyQuestion => ({
  site: { org: "a" },
  user: { name: "lee", org: "a", role: "lead" },
  right: "submit_job",
  ...change,
});

// Sampled from NVIDIA FLARE's evaluator (nvflare/fuel/sec/authz.py, commit f3b7c1bf).
test.each(samples.cases)(
  "decides $id as FLARE does",
  ({ policy, site, user, submitter, right, expect: outcome }) => {
    const policies: Readonly<Record<string, unknown>> = samples.policies;
    const parsed = parsePolicy(policies[policy]);
    const asked = { site, user, submitter: submitter ?? undefined, right };

    expect(evaluatePolicy(parsed, asked).allowed).toBe(outcome === "allow");
  },
);

test("a right's own rule replaces that of its category, whatever their order", () => {
  const asked = question({ right: "abort_job" });
  for (const rules of [
    { manage_job: "none", abort_job: "any" },
    { abort_job: "any", manage_job: "none" },
  ]) {
    expect(evaluatePolicy(read({ lead: rules }), asked)).toMatchObject({
      allowed: true,
      rule: "lead.abort_job",
    });
  }
  expect(evaluatePolicy(read({ lead: { manage_job: "any" } }), asked)).toMatchObject({
    rule: "lead.manage_job",
  });
});

test("a category is itself a right, and one rule of a role decides about every right, known or not", () => {
  expect(evaluatePolicy(read({ lead: { view: "any" } }), question({ right: "view" })).allowed).toBe(true);
  expect(evaluatePolicy(read({ lead: "any" }), question({ right: "unheard_of" }))).toMatchObject({
    allowed: true,
    rule: "lead",
  });
  expect(evaluatePolicy(read({ lead: ["none"] }), question())).toMatchObject({
    allowed: false,
    rule: "lead",
  });
});

test("the right that is asked for is compared as it is given", () => {
  expect(evaluatePolicy(read({ lead: { Submit_Job: "any" } }), question()).allowed).toBe(true);
  expect(
    evaluatePolicy(read({ lead: { submit_job: "any" } }), question({ right: "Submit_Job" })).allowed,
  ).toBe(false);
});

test("a decision says rule, condition, place and why", () => {
  const policy = read({ Lead: { submit_job: ["any", "not o:a"], view: "o:b", byoc: "not o:b" } });

  expect(evaluatePolicy(policy, question())).toEqual({
    allowed: false,
    rule: "lead.submit_job",
    condition: "not o:a",
    path: ["permissions", "Lead", "submit_job", 1],
    why: "lead.submit_job refuses: not o:a",
  });
  expect(evaluatePolicy(policy, question({ user: { name: "x", org: "c", role: "lead" } }))).toEqual({
    allowed: true,
    rule: "lead.submit_job",
    condition: "any",
    path: ["permissions", "Lead", "submit_job", 0],
    why: "lead.submit_job allows: any",
  });
  expect(evaluatePolicy(policy, question({ right: "list_jobs" }))).toEqual({
    allowed: false,
    rule: "lead.view",
    path: ["permissions", "Lead", "view"],
    why: "lead.view allows only: o:b",
  });
  const many = read({ lead: ["o:b", "o:c", "o:d", "o:e", "o:f"] });
  expect(evaluatePolicy(many, question()).why).toBe("lead allows only: o:b, o:c, o:d and 2 more");
  expect(evaluatePolicy(policy, question({ right: "byoc" }))).toMatchObject({
    allowed: true,
    why: "lead.byoc refuses others only",
  });
  expect(evaluatePolicy(policy, question({ right: "restart" })).why).toBe(
    "role lead has no rule for restart, nor for its category operate",
  );
  expect(evaluatePolicy(policy, question({ right: "clone_job" })).why).toBe(
    "role lead has no rule for clone_job",
  );
});

test("no role passes by itself", () => {
  for (const role of ["super", "project_admin", "server", "admin"]) {
    const asked = question({ user: { name: "x", org: "a", role } });
    expect(evaluatePolicy(read({ lead: "any" }), asked)).toEqual({
      allowed: false,
      path: [],
      why: `the policy has no role ${role}`,
    });
  }
});

test("a submitter whom there is not allows nobody; a user without the text is blocked as in FLARE", () => {
  const nameless = question({ user: { name: "", org: "", role: "lead" } });
  for (const condition of ["o:submitter", "n:submitter", "not o:submitter", "not n:submitter"]) {
    expect(evaluatePolicy(read({ lead: condition }), nameless).allowed, condition).toBe(false);
  }
  expect(evaluatePolicy(read({ lead: "not o:submitter" }), question()).allowed).toBe(true);
  expect(evaluatePolicy(read({ lead: "not n:submitter" }), question()).allowed).toBe(true);
});

test("an empty organization is one, and n:site is a user who is called so", () => {
  const asked = question({ user: { name: "site", org: "", role: "lead" } });
  expect(evaluatePolicy(read({ lead: "o:" }), asked).allowed).toBe(true);
  expect(evaluatePolicy(read({ lead: "o:" }), question()).allowed).toBe(false);
  expect(evaluatePolicy(read({ lead: "n:site" }), asked).allowed).toBe(true);
  expect(evaluatePolicy(read({ lead: "n:site" }), question()).allowed).toBe(false);
});

test("rights that FLARE leaves without a category have one, so that a default policy gives them", () => {
  for (const [right, category] of [
    ["list_job", "view"],
    ["get_job_log", "view"],
    ["report_version", "view"],
    ["download_job_components", "download_job"],
    ["app_command", "operate"],
    ["check_resources", "operate"],
    ["deploy_app", "operate"],
    ["submit_job", "submit_job"],
    ["clone_job", "clone_job"],
    ["byoc", "byoc"],
  ] as const) {
    expect(categoryOf(right), right).toBe(category);
  }
});

test("every right has one category, and nothing of Object's prototype is a right or a role", () => {
  const all = Object.values(RIGHT_CATEGORIES).flat();
  expect(new Set(all).size).toBe(all.length);
  const policy = read({ lead: { view: "any" } });
  for (const name of ["constructor", "__proto__", "toString"]) {
    expect(evaluatePolicy(policy, question({ right: name })).allowed).toBe(false);
    expect(evaluatePolicy(policy, question({ user: { name: "x", org: "a", role: name } })).allowed).toBe(
      false,
    );
  }
  const named = parsePolicy(
    JSON.parse('{"format_version":"1.0","permissions":{"__proto__":{"__proto__":"any"}}}'),
  );
  const asked = question({ right: "__proto__", user: { name: "x", org: "a", role: "__proto__" } });
  expect(evaluatePolicy(named, asked).allowed).toBe(true);
});

test("the default is FLARE's: jobs are their submitters', machines their organization's", () => {
  const policy = defaultPolicy();
  const mine = { name: "lee", org: "a" };
  const may = (
    role: string,
    right: string,
    submitter: PolicyQuestion["submitter"] = mine,
    org = "a",
  ): boolean =>
    evaluatePolicy(policy, { site: { org: "a" }, user: { name: "lee", org, role }, submitter, right })
      .allowed;

  for (const [role, right] of [
    ["project_admin", "submit_job"],
    ["lead", "submit_job"],
    ["lead", "abort_job"],
    ["org_admin", "abort_job"],
    ["org_admin", "restart"],
    ["member", "list_jobs"],
    ["adapter", "get_job_meta"],
  ] as const) {
    expect(may(role, right), `${role} ${right}`).toBe(true);
  }
  for (const [role, right] of [
    ["org_admin", "submit_job"],
    ["member", "submit_job"],
    ["member", "download_job"],
    ["adapter", "abort_job"],
    ["server", "view"],
    ["site", "view"],
  ] as const) {
    expect(may(role, right), `${role} ${right}`).toBe(false);
  }
  expect(may("lead", "abort_job", { name: "other", org: "a" })).toBe(false);
  expect(may("org_admin", "abort_job", { name: "other", org: "b" })).toBe(false);
  expect(may("org_admin", "restart", mine, "b")).toBe(false);
});

test("a malformed policy is refused, with its place", () => {
  const whole = (permissions: unknown) => ({ format_version: "1.0", permissions });
  const names = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`r${at}`, "any"]));
  const faults: readonly (readonly [policy: unknown, said: string])[] = [
    ["any", "at  expected an object"],
    [
      { format_version: "2.0", permissions: { lead: "any" } },
      'at format_version format_version: expected "1.0"',
    ],
    [{ format_version: "1.0" }, "at permissions permissions: expected an object"],
    [whole({}), "expected at least one role"],
    [whole([]), "expected an object"],
    [{ ...whole({ lead: "any" }), more: 1 }, "at more more: unknown key"],
    [whole({ lead: [] }), "at permissions/lead permissions.lead: expected at least one condition"],
    [whole({ lead: 1 }), "at permissions/lead permissions.lead: expected an object"],
    [whole({ lead: { view: 1 } }), "at permissions/lead/view"],
    [whole({ lead: { view: ["any", null] } }), "at permissions/lead/view/1"],
    [whole({ lead: { view: ["any", "r:x"] } }), "at permissions/lead/view/1"],
    [whole({ lead: "everybody" }), "expected any, none"],
    [whole({ lead: "" }), "expected any, none"],
    [whole({ lead: "n:a:b" }), "expected any, none"],
    [whole({ lead: "not n:john smith" }), "cannot be negated"],
    [whole({ lead: "any", " LEAD ": "any" }), "at permissions/ LEAD "],
    [whole({ lead: { view: "any", View: "none" } }), "this right stands here twice"],
    [whole(names(MAX_POLICY_ENTRIES + 1)), `more than ${MAX_POLICY_ENTRIES} entries`],
    [whole({ lead: new Array(MAX_POLICY_CONDITIONS + 1).fill("any") }), "conditions"],
    [whole({ lead: `o:${"x".repeat(MAX_POLICY_TEXT)}` }), "longer than"],
    [whole({ ["x".repeat(MAX_POLICY_TEXT + 1)]: "any" }), "longer than"],
    [whole({ lead: "n:a\u001b[2J" }), "a control character"],
    [whole({ "lead\u202e": "any" }), "a control character"],
  ];
  for (const [policy, said] of faults) {
    const parse = () => parsePolicy(policy, (path) => `at ${path.join("/")}`);
    expect(parse, said).toThrow(said);
    expect(parse).toThrow(expect.objectContaining({ code: "ERR_POLICY_INVALID" }));
  }
});

test("a policy at its limits is taken", () => {
  const conditions = new Array(MAX_POLICY_CONDITIONS).fill(`o:${"x".repeat(MAX_POLICY_TEXT - 2)}`);
  const roles = Array.from({ length: MAX_POLICY_ENTRIES - 1 }, (_, at) => [`r${at}`, "any"]);

  const policy = read({ ...Object.fromEntries(roles), ["y".repeat(MAX_POLICY_TEXT)]: conditions });

  expect(policy.roles.size).toBe(MAX_POLICY_ENTRIES);
});

/** The algorithm as FLARE's documentation has it, once more, in the plainest way. */
function plainly(permissions: Record<string, unknown>, asked: PolicyQuestion): boolean {
  const of = (text: string): string => text.trim().split(/\s+/).join(" ").toLowerCase();
  const entry = (table: unknown, key: string): unknown =>
    Object.entries(Object(table)).find(([name]) => of(name) === key)?.[1];
  const rules = entry(permissions, of(asked.user.role));
  if (rules === undefined) return false;
  const isControl = typeof rules === "string" || Array.isArray(rules);
  const category = Object.entries(RIGHT_CATEGORIES).find(([, rights]) => rights.includes(asked.right))?.[0];
  const control = isControl ? rules : (entry(rules, asked.right) ?? entry(rules, String(category)));
  if (control === undefined) return false;
  const conditions = [control].flat().map((text) => of(String(text)));
  const { user, site, submitter } = asked;
  const matches = (text: string, whenAbsent: string): boolean => {
    if (text === "any" || text === "all") return true;
    if (text === "none" || text === "no") return false;
    const [kind, value] = text.split(":");
    const [mine, theirs] = kind?.startsWith("o") ? [user.org, submitter?.org] : [user.name, submitter?.name];
    if (value === "submitter") return of(mine) === (theirs === undefined ? whenAbsent : of(theirs));
    if (value === "site" && kind?.startsWith("o")) return of(user.org) === of(site.org);
    return of(mine) === value;
  };
  const blocked = conditions.filter((text) => text.startsWith("not ")).map((text) => text.slice(4));
  const allowed = conditions.filter((text) => !text.startsWith("not "));
  if (blocked.some((text) => matches(text, ""))) return false;
  return allowed.length === 0 || allowed.some((text) => matches(text, "\0"));
}

test("the evaluator decides as a second one that was written from the algorithm's text", () => {
  const who = fc.constantFrom("a", "B", " b ", "", "site");
  const role = fc.constantFrom("lead", "Lead ", "member");
  const right = fc.constantFrom("submit_job", "abort_job", "manage_job", "view", "list_jobs", "unknown");
  const base = fc.constantFrom(
    ...["any", "ALL", "none", "no", "o:site", "org:site", "o:submitter", "n:submitter"],
    ...["name:submitter", "o:a", "N:B", "org:b", "n:site", "o:"],
  );
  const condition = fc.tuple(fc.boolean(), base).map(([not, text]) => (not ? `not ${text}` : text));
  const control = fc.oneof(condition, fc.array(condition, { minLength: 1, maxLength: 3 }));
  const rules = fc.oneof(control, fc.dictionary(right, control, { maxKeys: 4 }));
  const permissions = fc.record({ " LEAD": rules, member: rules }, { requiredKeys: [" LEAD"] });
  const asked = fc.record({
    site: fc.record({ org: who }),
    user: fc.record({ name: who, org: who, role }),
    submitter: fc.option(fc.record({ name: who, org: who }), { nil: undefined }),
    right,
  });
  void fc.assert(
    fc.property(permissions, asked, (given, asks) => {
      expect(evaluatePolicy(read(given), asks).allowed).toBe(plainly(given, asks));
    }),
    { seed: 7, numRuns: 3_000 },
  );
});
