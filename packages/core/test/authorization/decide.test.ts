import { describe, expect, test } from "vitest";
import {
  type AdministrationOrder,
  decideJob,
  decideOrder,
  type JobRight,
  parsePolicy,
  policyAuthorizer,
} from "../../src/authorization/index.ts";
import type { Participant, Role } from "../../src/pki/index.ts";

const actor = (role: Role, name = "ann@example.org", org = "example"): Participant => ({
  project: "test",
  name,
  org,
  role,
  leafDigest: new Uint8Array(32),
  chain: [],
  mutualTls: false,
});
const job = { submitter: "ann@example.org", submitterOrg: "example" };
const byDefault = policyAuthorizer("example");
const by = (permissions: unknown) => {
  const policy = parsePolicy({ format_version: "1.0", permissions });
  return policyAuthorizer("example", () => policy);
};

const ALLOWED: Readonly<Record<JobRight, readonly Role[]>> = {
  submit: ["project_admin", "lead"],
  view: ["project_admin", "org_admin", "lead", "member", "adapter"],
  abort: ["project_admin", "org_admin", "lead"],
  download: ["project_admin", "org_admin", "lead"],
  delete: ["project_admin", "org_admin", "lead"],
  clone: ["project_admin", "lead"],
};
const ROLES: readonly Role[] = ["server", "site", "adapter", "project_admin", "org_admin", "lead", "member"];
const RIGHTS: readonly JobRight[] = ["submit", "view", "abort", "download", "delete", "clone"];

test.each(RIGHTS)(
  "by default %s is for the roles that the table names, for the submitter's own job",
  (right) => {
    for (const role of ROLES) {
      const { allowed } = decideJob({ actor: actor(role), right, job }, byDefault);
      expect([role, allowed]).toEqual([role, ALLOWED[right].includes(role)]);
    }
  },
);

test.each(["abort", "download", "delete", "clone"] as const)(
  "by default %s is not for the lead or the administrator of others",
  (right) => {
    const may = (who: Participant): boolean => decideJob({ actor: who, right, job }, byDefault).allowed;

    expect(may(actor("lead", "bob@example.org"))).toBe(false);
    expect(may(actor("org_admin", "eve@other.org", "other"))).toBe(false);
    expect(may(actor("project_admin", "eve@other.org", "other"))).toBe(true);
  },
);

test("a right to a job is refused when no job is named, and a refusal says why", () => {
  expect(decideJob({ actor: actor("project_admin"), right: "abort" }, byDefault)).toMatchObject({
    allowed: false,
  });
  expect(decideJob({ actor: actor("member"), right: "submit" }, byDefault)).toMatchObject({
    allowed: false,
    why: "role member has no rule for submit_job",
  });
});

test("a policy decides about every role, administrators of the project too", () => {
  const strict = by({ lead: { submit_job: "o:partner", abort_job: "none" } });
  const may = (who: Participant, right: JobRight): boolean =>
    decideJob({ actor: who, right, job }, strict).allowed;

  expect(may(actor("lead", "bob@partner.org", "partner"), "submit")).toBe(true);
  expect(may(actor("lead"), "submit")).toBe(false);
  expect(may(actor("lead"), "abort")).toBe(false);
  expect(may(actor("project_admin"), "view")).toBe(false);
});

test("a policy that cannot be used, or whose source throws, refuses everything and says so, without what is wrong in whose file", () => {
  const broken = policyAuthorizer("north", () => ({ unusable: "authorization.json:3:4 expected an object" }));
  const throwing = policyAuthorizer("north", () => {
    throw new Error("secret path");
  });

  expect(decideJob({ actor: actor("project_admin"), right: "view", job }, broken)).toMatchObject({
    allowed: false,
    why: "the policy of north cannot be used at present",
  });
  expect(decideJob({ actor: actor("project_admin"), right: "view", job }, throwing)).toMatchObject({
    allowed: false,
    why: "the policy of north cannot be used at present",
  });
});

describe("an order of administration", () => {
  const invite = (org: string, name?: string): AdministrationOrder => ({ kind: "invite", org, name });
  const may = (who: Participant, order: AdministrationOrder, authorizer = byDefault): boolean =>
    decideOrder(who, order, authorizer).allowed;

  test("is by default for administrators, of an organization for that only, and a site's own next device", () => {
    expect(may(actor("project_admin"), { kind: "suspend" })).toBe(true);
    expect(may(actor("org_admin"), invite("example"))).toBe(true);
    expect(may(actor("org_admin"), { kind: "revoke", org: "example" })).toBe(true);
    expect(may(actor("org_admin"), invite("other"))).toBe(false);
    expect(may(actor("org_admin"), { kind: "approve" })).toBe(false);
    expect(may(actor("lead"), invite("example"))).toBe(false);
    expect(may(actor("site", "ward"), invite("example", "ward"))).toBe(true);
    expect(may(actor("site", "ward"), invite("example", "other"))).toBe(false);
  });

  test("is refused where the policy does not give it, to administrators of the project too", () => {
    const strict = by({
      project_admin: { admission: "any", suspend: "none" },
      org_admin: { invite: "none" },
    });

    expect(may(actor("project_admin"), { kind: "approve" }, strict)).toBe(true);
    expect(may(actor("project_admin"), { kind: "suspend" }, strict)).toBe(false);
    expect(may(actor("org_admin"), invite("example"), strict)).toBe(false);
    expect(may(actor("site", "ward"), invite("example", "ward"), strict)).toBe(false);
  });

  test("stays within the reach of a role, whatever the policy gives", () => {
    const wide = by({ org_admin: "any", site: "any", member: "any" });

    expect(may(actor("org_admin"), invite("other"), wide)).toBe(false);
    expect(may(actor("org_admin"), { kind: "suspend" }, wide)).toBe(false);
    expect(may(actor("site", "ward"), invite("example", "other"), wide)).toBe(false);
    expect(may(actor("member"), invite("example"), wide)).toBe(false);
  });
});
