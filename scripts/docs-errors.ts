import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describeError, ERRORS, type ErrorCode } from "@photinus/core/errors";
import { isProgram, ROOT, runProgram } from "./process.ts";

/** Where the page lies. */
export const ERRORS_PAGE: string = join(ROOT, "docs/ERRORS.md");

const HEAD = `# Errors

Every error that Photinus throws for the fault of a peer, a file or the environment carries a code of this list; a code is stable for
ever. What the receiver does: *reject* answers with the error and goes on, *drop* ignores, *close* ends the session, *back-off* waits and
tries again, *stop* ends the operation. Numbers cross the wire; errors without one stay on the machine where they arose.

This page is written by \`npm run docs:errors\` from \`packages/core/src/errors\`; a test fails when the two differ.

| code | number | the receiver does | what to do |
| --- | --- | --- | --- |
`;

/** The page of all errors: those that cross the wire by number, then the local ones by code. */
export function errorsPage(): string {
  const entries = (Object.keys(ERRORS) as ErrorCode[]).map((code) => ({ code, ...describeError(code) }));
  const rank = ({ wire = Number.POSITIVE_INFINITY }: { readonly wire?: number }): number => wire;
  entries.sort((left, right) => rank(left) - rank(right) || (left.code < right.code ? -1 : 1));
  const rows = entries.map(
    ({ code, wire, action, remedy }) =>
      `| \`${code}\` | ${wire ?? ""} | ${action} | ${remedy.replaceAll("|", "\\|")} |`,
  );
  return `${HEAD}${rows.join("\n")}\n`;
}

if (isProgram(import.meta.url)) {
  runProgram(async () => {
    writeFileSync(ERRORS_PAGE, errorsPage());
    console.log("docs/ERRORS.md written");
  });
}
