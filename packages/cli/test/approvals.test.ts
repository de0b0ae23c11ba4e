import { expect, test } from "vitest";
import { approvalsOf } from "../src/commands/server-start.ts";

test("two administrators approve when the project or whoever starts the server says so, and one when neither does", () => {
  expect(approvalsOf({}, {})).toBe(1);
  expect(approvalsOf({ approvals: 2 }, {})).toBe(2);
  expect(approvalsOf({ approvals: 2 }, { approvals: 1 })).toBe(2);
  expect(approvalsOf({}, { approvals: 2 })).toBe(2);
});
