import { PkiError } from "../errors/index.ts";

declare const brand: unique symbol;

/** Name of a project, a server, a site or an organization: `[a-z0-9][a-z0-9._-]{0,62}`. */
export type Name = string & { readonly [brand]: "name" };

/** Name of a user: a lower-case e-mail address of at most 128 characters. */
export type UserName = string & { readonly [brand]: "user" };

/** Form of {@link Name}. */
export const NAME_PATTERN: RegExp = /^[a-z0-9][a-z0-9._-]{0,62}$/;
/** Form of {@link UserName}, beside its length. */
export const USER_NAME_PATTERN: RegExp =
  /^[a-z0-9][a-z0-9._%+-]{0,63}@[a-z0-9](?:[a-z0-9-]{0,62})(?:\.[a-z0-9][a-z0-9-]{0,62}){0,5}$/;

/** Addresses of the protocol that no participant may be called. */
const RESERVED: ReadonlySet<string> = new Set(["server", "all", "enrol"]);

/** True for a project's or an organization's name. */
export function isName(text: string): text is Name {
  return NAME_PATTERN.test(text);
}

/** True for what a server or a site may be called: names that are an address of the protocol are reserved. */
export function isMachineName(text: string): text is Name {
  return isName(text) && !RESERVED.has(text);
}

/** True for a user's name. */
export function isUserName(text: string): text is UserName {
  return text.length <= 128 && USER_NAME_PATTERN.test(text);
}

/** @throws PkiError `ERR_CERTIFICATE_NAME` */
export function requireName(text: string, of: string): Name {
  if (isName(text)) return text;
  throw new PkiError("ERR_CERTIFICATE_NAME", `${of} is not named by a-z, 0-9, dot, dash and underscore`);
}
