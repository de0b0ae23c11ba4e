import { AuthenticationError } from "@photinus/core/errors";
import { fits, valuesOf } from "../authentication/claims.ts";
import type { DashboardProvider } from "../authentication/settings.ts";
import type { VerifiedToken } from "../authentication/verify-id-token.ts";
import type { SignedInUser } from "./user-sessions.ts";

/** What stands on the page and in records: printable, and of a length that can be read. */
const NAME = /^[\p{L}\p{N}\p{P}\p{S} ]{1,128}$/u;

/**
 * Who somebody is by the first rule that fits.
 * @throws AuthenticationError `ERR_SIGN_IN_REFUSED` when none does, or the claim of the name is none
 */
export function userOfClaims(
  { claims, subject }: VerifiedToken,
  { users, nameClaim = "email" }: Pick<DashboardProvider, "users" | "nameClaim">,
): SignedInUser {
  const rule = users.find((each) => fits(claims, each.claims));
  if (rule === undefined) throw refused("no rule of this server lets this account in");
  const [name = ""] = valuesOf(claims, nameClaim);
  if (!NAME.test(name)) throw refused(`the account has no ${nameClaim}`);
  // A name that anybody may give himself would open what belongs to somebody else of that name.
  if (nameClaim === "email" && claims["email_verified"] === false) {
    throw refused("the provider has not verified the address of this account");
  }
  return { name: nameClaim === "email" ? name.toLowerCase() : name, role: rule.role, org: rule.org, subject };
}

function refused(reason: string): AuthenticationError {
  return new AuthenticationError("ERR_SIGN_IN_REFUSED", reason);
}
