import type { AuditLog } from "@photinus/core/audit";
import { AuthenticationError } from "@photinus/core/errors";
import type { Clock, Logger } from "@photinus/core/platform";
import type { DashboardProvider } from "../authentication/settings.ts";
import type { RefusalRecords } from "../server/refusal-records.ts";
import { type BegunSignIn, CodeFlow } from "./code-flow.ts";
import { SignInGate } from "./sign-in-gate.ts";
import { userOfClaims } from "./user-of-claims.ts";
import { type SignedInUser, type UserSession, UserSessions } from "./user-sessions.ts";

/** What {@link SignIn} works with. */
export interface SignInModules {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: AuditLog;
  readonly refusals: RefusalRecords;
  /** Of this server's client at the provider; absent: it has none. */
  readonly secret?: string | undefined;
}

/** Path at which the provider sends the browser back. */
export const CALLBACK_PATH = "/auth/signed-in";

/** People who sign in on the dashboard by an identity provider: who they are, and how long. */
export class SignIn {
  /** Origin under which people open the dashboard. */
  readonly origin: string;
  /** Where the provider is, for people. */
  readonly issuer: string;
  readonly #provider: DashboardProvider;
  readonly #flow: CodeFlow;
  readonly #sessions: UserSessions;
  readonly #modules: SignInModules;
  readonly #gate: SignInGate;

  constructor(provider: DashboardProvider, modules: SignInModules) {
    this.origin = provider.origin;
    this.issuer = provider.issuer;
    this.#provider = provider;
    this.#modules = modules;
    this.#gate = new SignInGate(modules.refusals);
    const { scopes = ["openid", "profile", "email"] } = provider;
    this.#flow = new CodeFlow({ ...provider, scopes }, { ...modules, callbackPath: CALLBACK_PATH });
    const { idleMinutes = 30, sessionHours = 8 } = provider;
    const limits = { idleMs: idleMinutes * 60_000, lifetimeMs: sessionHours * 3_600_000 };
    this.#sessions = new UserSessions(limits, modules);
  }

  /** @throws AuthenticationError `ERR_SIGN_IN_UNAVAILABLE` */
  begin(): Promise<BegunSignIn> {
    return this.#flow.begin();
  }

  /**
   * @param address of whoever comes back, for the record of a refusal
   * @returns the id of a session: a secret
   * @throws AuthenticationError `ERR_SIGN_IN_*`, WireError `ERR_BUSY`
   */
  async finish(query: URLSearchParams, transaction: string, address: string): Promise<string> {
    return await this.#gate.pass(address, async () => {
      const { verified } = await this.#flow.finish(query, transaction);
      const user = userOfClaims(verified, this.#provider);
      await this.#modules.audit.record({
        actor: actorOf(user),
        action: "sign-in",
        object: "dashboard",
        outcome: "accepted",
        details: { issuer: this.issuer, role: user.role, org: user.org },
      });
      return this.#sessions.open(user);
    });
  }

  /** @param isUse true for what the user does @throws AuthenticationError `ERR_SIGN_IN_EXPIRED` */
  require(id: string | undefined, isUse: boolean): UserSession {
    const session = id === undefined ? undefined : this.#sessions.find(id, isUse);
    if (session !== undefined) return session;
    throw new AuthenticationError("ERR_SIGN_IN_EXPIRED", "nobody is signed in");
  }

  /** Signs everybody out; idempotent. */
  stop(): void {
    this.#sessions.stop();
  }

  /** Signs out; idempotent. */
  async end(id: string): Promise<void> {
    const user = this.#sessions.close(id);
    if (user === undefined) return;
    await this.#modules.audit.record({
      actor: actorOf(user),
      action: "sign-out",
      object: "dashboard",
      outcome: "done",
    });
  }
}

/** Without a certificate: the record says how this actor was known. */
export function actorOf({ name }: SignedInUser): string {
  return `sign-in ${name}`;
}
