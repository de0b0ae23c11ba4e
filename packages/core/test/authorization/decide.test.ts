import { expect, test } from "vitest";
import { decide, type JobRight } from "../../src/authorization/index.ts";
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

const ALLOWED: Readonly<Record<JobRight, readonly Role[]>> = {
  submit: ["project_admin", "org_admin", "lead"],
  view: ["project_admin", "org_admin", "lead", "member", "adapter"],
  abort: ["project_admin", "org_admin", "lead"],
  download: ["project_admin", "org_admin", "lead"],
};
const ROLES: readonly Role[] = ["server", "site", "adapter", "project_admin", "org_admin", "lead", "member"];
const RIGHTS: readonly JobRight[] = ["submit", "view", "abort", "download"];

test.each(RIGHTS)("%s is for the roles that the table names, for the submitter's own job", (right) => {
  for (const role of ROLES) {
    expect([role, decide(actor(role), right, job).allowed]).toEqual([role, ALLOWED[right].includes(role)]);
  }
});

test.each(["abort", "download"] as const)(
  "%s is not for the lead or the administrator of others",
  (right) => {
    expect(decide(actor("lead", "bob@example.org"), right, job).allowed).toBe(false);
    expect(decide(actor("org_admin", "eve@other.org", "other"), right, job).allowed).toBe(false);
    expect(decide(actor("project_admin", "eve@other.org", "other"), right, job).allowed).toBe(true);
  },
);

test("a right to a job is refused when no job is named, and a refusal says why", () => {
  expect(decide(actor("project_admin"), "abort")).toMatchObject({ allowed: false });
  expect(decide(actor("member"), "submit")).toEqual({
    allowed: false,
    reason: "role member may not submit jobs",
  });
});
