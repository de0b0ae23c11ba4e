import { dirname, resolve } from "node:path";
import type { PolicyQuestion } from "@photinus/core/authorization";
import { HostError } from "@photinus/core/errors";
import * as v from "valibot";
import { type LocatedFile, readLocatedJson } from "../located-file.ts";
import { checkDocument } from "../yaml/check-document.ts";
import { DocumentFault } from "../yaml/positioned-document.ts";
import { DEFAULT_POLICY_NAME, type LocatedPolicy, locatedPolicy, readPolicy } from "./located-policy.ts";

/** One case of a test of policies. */
export interface PolicyCase {
  /** What the file calls it, or its number. */
  readonly id: string;
  readonly policy: LocatedPolicy;
  readonly question: PolicyQuestion;
  readonly expect: "allow" | "deny";
  /** `file:line:column` of the case. */
  readonly at: string;
}

const MAX_CASES = 10_000;
const text = v.pipe(v.string(), v.maxLength(512));
const person = { name: text, org: text };

const CaseSchema = v.strictObject({
  id: v.exactOptional(text),
  note: v.exactOptional(text),
  policy: v.unknown(), // an object is a policy, a text the file of one
  site: v.strictObject({ org: text }),
  user: v.strictObject({ ...person, role: text }),
  // A submitter may have a role, which no rule looks at.
  submitter: v.exactOptional(v.nullable(v.strictObject({ ...person, role: v.exactOptional(text) }))),
  right: text,
  expect: v.picklist(["allow", "deny"]),
});

const CasesSchema = v.pipe(v.array(CaseSchema), v.minLength(1), v.maxLength(MAX_CASES));

/**
 * Reads a file of cases and the policies that they name; a policy's file is looked for beside that of the cases.
 * @throws HostError `ERR_CONFIG_INVALID`, AuthorizationError `ERR_POLICY_INVALID`, with file, line and column
 */
export async function readPolicyCases(file: string): Promise<readonly PolicyCase[]> {
  const located = await readLocatedJson(file);
  const cases = checked(located);
  const ofFiles = new Map<string, Promise<LocatedPolicy>>();
  const read: PolicyCase[] = [];
  for (const [index, { id, policy, site, user, submitter, right, expect }] of cases.entries()) {
    const at = located.locate([index]);
    const question = { site, user, submitter: submitter ?? undefined, right };
    const found =
      typeof policy === "string"
        ? await policyOfFile(policy, { file, at, ofFiles })
        : locatedPolicy(policy, (path) => located.locate([index, "policy", ...path]));
    read.push({ id: id ?? `case ${index + 1}`, policy: found, question, expect, at });
  }
  return read;
}

function checked({ document }: LocatedFile): v.InferOutput<typeof CasesSchema> {
  try {
    return checkDocument(document, CasesSchema);
  } catch (cause) {
    if (!(cause instanceof DocumentFault)) throw cause;
    throw new HostError("ERR_CONFIG_INVALID", `${cause.position} ${cause.message}`, { cause });
  }
}

interface Reference {
  /** Of the cases. */
  readonly file: string;
  readonly at: string;
  /** Each file is read once. */
  readonly ofFiles: Map<string, Promise<LocatedPolicy>>;
}

async function policyOfFile(name: string, { file, at, ofFiles }: Reference): Promise<LocatedPolicy> {
  const path = name === DEFAULT_POLICY_NAME ? name : resolve(dirname(file), name);
  const reading = ofFiles.get(path) ?? readPolicy(path);
  ofFiles.set(path, reading);
  try {
    return await reading;
  } catch (cause) {
    if (!(cause instanceof HostError)) throw cause;
    throw new HostError(cause.code, `${at} ${cause.message}`, { cause });
  }
}
