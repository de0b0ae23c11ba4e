/** Who asks, where, and about whose job: texts as certificates and jobs say them. */
export interface PolicyQuestion {
  /** The site or server that decides. */
  readonly site: { readonly org: string };
  /** Who asks. */
  readonly user: { readonly name: string; readonly org: string; readonly role: string };
  /** Whose job, invite or certificate it is about; absent where there is none. */
  readonly submitter?: { readonly name: string; readonly org: string } | undefined;
  /** What is asked for: a right or a category, compared as it is given. */
  readonly right: string;
}

/** True when a condition holds for a question whose texts are folded. */
export type Matches = (question: PolicyQuestion) => boolean;

/** One condition of a control. */
export interface Condition {
  /** As the policy says it, folded. */
  readonly text: string;
  /** True for `not …`: where it matches, nothing is allowed. */
  readonly blocks: boolean;
  readonly matches: Matches;
}

/** Lower case, white space collapsed: how names, organizations, roles and conditions are compared. */
export function fold(text: string): string {
  return text.trim().replace(/\s+/g, " ").toLowerCase();
}

/**
 * Reads a condition: `any`, `none`, `o:site`, `o:submitter`, `o:<organization>`, `n:submitter`, `n:<name>`; `not` before it
 * makes it a blocking one.
 * @returns words for what is wrong with a text that is none
 */
export function parseCondition(source: string): Condition | string {
  const text = fold(source);
  const blocks = text.startsWith("not ");
  const rest = blocks ? text.slice(4) : text;
  if (blocks && rest.includes(" ")) return "a name of several words cannot be negated";
  const matches = matcherOf(rest, blocks);
  return typeof matches === "string" ? matches : { text, blocks, matches };
}

function matcherOf(text: string, blocks: boolean): Matches | string {
  if (text === "any" || text === "all") return () => true;
  if (text === "none" || text === "no") return () => false;
  const [kind = "", value, ...more] = text.split(":").map((part) => part.trim());
  if (value === undefined || more.length > 0) return "expected any, none, o:<organization> or n:<name>";
  switch (kind) {
    case "o":
    case "org":
      return organizationMatcher(value, blocks);
    case "n":
    case "name":
      return nameMatcher(value, blocks);
    default:
      return `conditions are about o (organization) and n (name), not ${kind}`;
  }
}

function organizationMatcher(value: string, blocks: boolean): Matches {
  if (value === "site") return ({ site, user }) => site.org === user.org;
  if (value === "submitter") {
    return ({ submitter, user }) => isSame(submitter?.org, user.org, blocks);
  }
  return ({ user }) => user.org === value;
}

/** `n:site` is a user who is called so: sites have no name here. */
function nameMatcher(value: string, blocks: boolean): Matches {
  if (value === "submitter") {
    return ({ submitter, user }) => isSame(submitter?.name, user.name, blocks);
  }
  return ({ user }) => user.name === value;
}

/** FLARE takes a submitter whom there is not for one with empty texts. That may block; it must not allow the nameless. */
function isSame(ofSubmitter: string | undefined, ofUser: string, blocks: boolean): boolean {
  return ofSubmitter === undefined ? blocks && ofUser === "" : ofSubmitter === ofUser;
}
