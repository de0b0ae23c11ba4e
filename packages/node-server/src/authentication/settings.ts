import { HostError } from "@photinus/core/errors";
import { isName, isRole, type Role } from "@photinus/core/pki";
import { requireSecureUrl } from "@photinus/node-platform";
import * as v from "valibot";

/** Claims that decide: by name of the claim, the values of which it must have one. */
export type ClaimRule = Readonly<Record<string, readonly string[]>>;

/** An identity provider beside the certificate of some participants. */
export interface LoginProvider {
  /** Issuer: the address below which its configuration lies. */
  readonly issuer: string;
  /** Clients for which its tokens may be made. */
  readonly audience: readonly string[];
  /** Whom it is asked about, by role. Default: all. */
  readonly roles?: readonly Role[];
  /** Whom it is asked about, by organization. Default: all. */
  readonly orgs?: readonly string[];
  /** Claims that a token must have; at least one. */
  readonly allow: ClaimRule;
  /** Claim that must be the participant's name. Default: any user whom `allow` lets in may sign a participant in. */
  readonly nameClaim?: string;
  /** Signatures that are accepted. Default: RS256, PS256 and ES256. */
  readonly algorithms?: readonly SignatureName[];
  /** How long a participant is admitted, minutes; at most 720. Default: as long as the token is valid. */
  readonly admitMinutes?: number;
}

/** Whom claims make a user of the dashboard. */
export interface DashboardUserRule {
  /** Claims that a user must have; at least one. */
  readonly claims: ClaimRule;
  /** Role in the project. */
  readonly role: DashboardRole;
  /** Organization. */
  readonly org: string;
}

/** What a user of the dashboard may be. */
export type DashboardRole = Exclude<Role, "server" | "site" | "adapter">;

/** How people sign in on the dashboard. */
export interface DashboardProvider {
  /** Issuer: the address below which its configuration lies. */
  readonly issuer: string;
  /** This server's client at the provider. */
  readonly clientId: string;
  /** File with the client's secret, from `local/` of the kit. Default: the client has none. */
  readonly clientSecretFile?: string;
  /** Origin under which people open the dashboard, such as `https://fl.example.org`. */
  readonly origin: string;
  /** What is asked for. Default: openid, profile, email. */
  readonly scopes?: readonly string[];
  /** Claim that is shown and recorded as the name. Default: email. */
  readonly nameClaim?: string;
  /** Who is who: the first rule that fits decides; none: no access. */
  readonly users: readonly DashboardUserRule[];
  /** Signatures that are accepted. Default: RS256, PS256 and ES256. */
  readonly algorithms?: readonly SignatureName[];
  /** A session that nothing is asked in ends after this many minutes. Default 30. */
  readonly idleMinutes?: number;
  /** A session ends after this many hours. Default 8. */
  readonly sessionHours?: number;
}

/** How people sign in where a page takes part as a site. */
export interface JoinPageProvider {
  /** Issuer of an entry of `login`. */
  readonly issuer: string;
  /** This server's client at the provider; in the `audience` of that entry. */
  readonly clientId: string;
  /** File with the client's secret, from `local/` of the kit. Default: the client has none. */
  readonly clientSecretFile?: string;
  /** Origin under which people open the page, such as `https://fl.example.org`. */
  readonly origin: string;
  /** What is asked for beside openid. Default: nothing. */
  readonly scopes?: readonly string[];
  /** Signatures that are accepted. Default: RS256, PS256 and ES256. */
  readonly algorithms?: readonly SignatureName[];
}

/** `local/authentication.json` of a server's kit. */
export interface AuthenticationSettings {
  /** Providers that are asked at login, beside the certificate. Default: none. */
  readonly login?: readonly LoginProvider[];
  /** Sign-in on the dashboard. Default: by kit and read-only token only. */
  readonly dashboard?: DashboardProvider;
  /** Sign-in of pages that take part as sites. Default: none; a page that `login` applies to is then not let in. */
  readonly joinPage?: JoinPageProvider;
}

/** Signatures of tokens: of public keys only, so that nobody who checks a token can make one. */
const SIGNATURES = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

/** Name of a signature algorithm (RFC 7518, RFC 8037). */
export type SignatureName = (typeof SIGNATURES)[number];

/** What is accepted unless the configuration says otherwise. */
export const DEFAULT_ALGORITHMS: readonly SignatureName[] = ["RS256", "PS256", "ES256"];

/** Where a value of a file stands, for people. */
export type Locate = (path: readonly (string | number)[]) => string;

const MAX_TEXT = 256;
const text = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_TEXT));
const url = v.pipe(
  text,
  v.check(isSecureUrl, "expected an https address (http on this machine only), without fragment"),
);
const issuer = v.pipe(
  url,
  v.check((value) => !value.includes("?"), "an issuer has no query"),
);
const origin = v.pipe(
  url,
  v.check(isOrigin, "expected scheme, host and port only, as in https://fl.example.org"),
);
const listOf = <Item>(item: v.GenericSchema<unknown, Item>, most: number) =>
  v.pipe(v.array(item), v.minLength(1), v.maxLength(most));
const org = v.pipe(
  v.string(),
  v.check(isName, "expected a-z, 0-9, dot, dash, underscore; at most 63 characters"),
);
const claimRule = v.pipe(
  v.record(text, listOf(text, 64)),
  v.check(
    (rule) => Object.keys(rule).length > 0,
    "name at least one claim: else everybody at the provider gets in",
  ),
  v.check((rule) => Object.keys(rule).length <= 8, "at most 8 claims"),
);
const algorithms = v.exactOptional(listOf(v.picklist(SIGNATURES), SIGNATURES.length));
const clientRole = v.custom<Role>(
  (value) => typeof value === "string" && isRole(value) && value !== "server",
  "expected site, adapter, project_admin, org_admin, lead or member",
);
const whole = (least: number, most: number) =>
  v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));

const LoginSchema = v.strictObject({
  issuer,
  audience: listOf(text, 8),
  roles: v.exactOptional(listOf(clientRole, 8)),
  orgs: v.exactOptional(listOf(org, 256)),
  allow: claimRule,
  nameClaim: v.exactOptional(text),
  algorithms,
  admitMinutes: v.exactOptional(whole(1, 720)),
});

/** What signing in by a browser needs. */
const browserClient = {
  issuer,
  clientId: text,
  clientSecretFile: v.exactOptional(v.pipe(v.string(), v.minLength(1), v.maxLength(4096))),
  origin,
  scopes: v.exactOptional(listOf(v.pipe(text, v.regex(/^[!#-[\]-~]+$/, "expected a scope")), 16)),
  algorithms,
};

const DashboardSchema = v.strictObject({
  ...browserClient,
  nameClaim: v.exactOptional(text),
  users: listOf(
    v.strictObject({
      claims: claimRule,
      role: v.picklist(["project_admin", "org_admin", "lead", "member"]),
      org,
    }),
    64,
  ),
  idleMinutes: v.exactOptional(whole(1, 480)),
  sessionHours: v.exactOptional(whole(1, 24)),
});

const SettingsSchema: v.GenericSchema<unknown, AuthenticationSettings> = v.strictObject({
  login: v.exactOptional(listOf(LoginSchema, 16)),
  dashboard: v.exactOptional(DashboardSchema),
  joinPage: v.exactOptional(v.strictObject(browserClient)),
});

/**
 * Reads the content of `local/authentication.json`.
 * @param locate says where in the file a value stands
 * @throws HostError `ERR_CONFIG_INVALID` naming the place of the first fault
 */
export function parseAuthenticationSettings(value: unknown, locate: Locate): AuthenticationSettings {
  // To the schema a list is an object without these keys.
  if (Array.isArray(value)) throw new HostError("ERR_CONFIG_INVALID", `${locate([])} expected an object`);
  const result = v.safeParse(SettingsSchema, value);
  if (result.success) return requireAudience(result.output, locate);
  const [issue] = result.issues;
  const path = (issue.path ?? []).flatMap(({ key }) =>
    typeof key === "string" || typeof key === "number" ? [key] : [],
  );
  const dotted = path.join(".");
  throw new HostError(
    "ERR_CONFIG_INVALID",
    `${locate(path)} ${dotted === "" ? "" : `${dotted}: `}${wordsOf(issue)}`,
  );
}

/** A token that no entry of `login` takes would let nobody in. */
function requireAudience(settings: AuthenticationSettings, locate: Locate): AuthenticationSettings {
  const { login = [], joinPage } = settings;
  const takes = ({ issuer: of, audience }: LoginProvider): boolean =>
    of === joinPage?.issuer && audience.includes(joinPage.clientId);
  if (joinPage === undefined || login.some(takes)) return settings;
  const text = "joinPage.clientId: expected a client in the audience of an entry of login with this issuer";
  throw new HostError("ERR_CONFIG_INVALID", `${locate(["joinPage", "clientId"])} ${text}`);
}

/** What an unknown key looks like is said, what a value is not: it may be a secret in the wrong place. */
function wordsOf(issue: v.BaseIssue<unknown>): string {
  if (issue.type === "strict_object" && issue.expected === "never") return "unknown key";
  if (issue.type === "strict_object") return "missing or not an object";
  return issue.message.replace(/ but received .*$/, "");
}

function isSecureUrl(value: string): boolean {
  try {
    requireSecureUrl(value);
    return true;
  } catch {
    return false; // the schema says what was expected
  }
}

function isOrigin(value: string): boolean {
  return URL.canParse(value) && new URL(value).origin === value;
}
