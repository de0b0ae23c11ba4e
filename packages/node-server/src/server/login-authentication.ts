import { createHash } from "node:crypto";
import type { AuditLog } from "@photinus/core/audit";
import { toBytes, toHex } from "@photinus/core/bytes";
import type { Clock, CryptoProvider, MetadataStore } from "@photinus/core/platform";
import {
  type AuthenticatorOutcome,
  type AuthenticatorRule,
  CredentialBook,
  LoginAuthentication,
} from "@photinus/core/session";
import { oidcAuthenticator } from "../authentication/oidc-authenticator.ts";
import type { AuthenticationSettings, LoginProvider } from "../authentication/settings.ts";
import type { RefusalRecords } from "./refusal-records.ts";

/** Who is asked at the login of clients. */
export interface LoginAuthenticatorOptions {
  /** What the administrator configured. */
  readonly settings: AuthenticationSettings | undefined;
  /** What the program that hosts the server brings. */
  readonly authenticators: readonly AuthenticatorRule[];
}

/** What {@link loginAuthentication} works with. */
export interface LoginAuthenticatorModules {
  readonly metadata: MetadataStore;
  readonly clock: Clock;
  readonly crypto: CryptoProvider;
  readonly audit: AuditLog;
  readonly refusals: RefusalRecords;
}

/** The authenticators of a server; `undefined` when there are none: certificates are then enough. */
export function loginAuthentication(
  { settings, authenticators }: LoginAuthenticatorOptions,
  modules: LoginAuthenticatorModules,
): LoginAuthentication | undefined {
  const providers = settings?.login ?? [];
  const rules = [...providers.map((provider) => ruleOf(provider, modules)), ...authenticators];
  if (rules.length === 0) return undefined;
  // What was admitted under one configuration does not count under another.
  const policy = toBytes(createHash("sha256").update(JSON.stringify(providers)).digest());
  return new LoginAuthentication(
    { rules },
    { ...modules, book: new CredentialBook(policy, modules), record: (outcome) => record(outcome, modules) },
  );
}

function ruleOf(provider: LoginProvider, modules: LoginAuthenticatorModules): AuthenticatorRule {
  const { roles, orgs } = provider;
  return {
    authenticator: oidcAuthenticator(provider, modules),
    ...(roles === undefined ? {} : { roles }),
    ...(orgs === undefined ? {} : { orgs }),
  };
}

/** Who is let in is recorded each time; who is refused, so that nobody fills the disk by trying again. */
async function record(
  { facts, authenticator, verdict }: AuthenticatorOutcome,
  { audit, refusals }: LoginAuthenticatorModules,
): Promise<void> {
  if (!verdict.admitted) {
    await refusals.note({ action: "authenticate", name: facts.name, code: "ERR_CREDENTIAL_REFUSED" });
    return;
  }
  await audit.record({
    actor: `${toHex(facts.leafDigest)} ${facts.name}`,
    action: "authenticate",
    object: authenticator,
    outcome: "accepted",
    details: { ...verdict.claims },
  });
}
