import { toHex } from "@photinus/core/bytes";
import { PhotinusError } from "@photinus/core/errors";
import type { ListedCertificate, ListedInvite, ListedRequest } from "@photinus/core/message";
import type { InviteOptions } from "@photinus/core/provision";
import type { ReactiveController, ReactiveControllerHost } from "lit";
import type { SignedInPerson } from "./sign-in-with-kit.ts";

/** How often the lists are read again. */
const REFRESH_MS = 5_000;

/** What the administration shows. */
export interface AdministrationState {
  readonly requests: readonly ListedRequest[];
  readonly certificates: readonly ListedCertificate[];
  readonly invites: readonly ListedInvite[];
  /** True while an order is on its way. */
  readonly isBusy: boolean;
  /** Link of the invite that was made last: shown once, and kept nowhere. */
  readonly link: string;
  /** What came of the last order. */
  readonly news: string;
  /** What went wrong last. */
  readonly fault: { readonly code: string; readonly message: string } | undefined;
}

/** A person's administration of a project: what there is, and what can be ordered. */
export class AdministrationModel implements ReactiveController {
  readonly #host: ReactiveControllerHost;
  readonly #person: SignedInPerson;
  readonly #stop = new AbortController();
  #state: AdministrationState = {
    requests: [],
    certificates: [],
    invites: [],
    isBusy: false,
    link: "",
    news: "",
    fault: undefined,
  };

  constructor(host: ReactiveControllerHost, person: SignedInPerson) {
    this.#host = host;
    this.#person = person;
    host.addController(this);
  }

  /** What to show. */
  get state(): AdministrationState {
    return this.#state;
  }

  /** Who is signed in. */
  get person(): SignedInPerson {
    return this.#person;
  }

  hostConnected(): void {
    void this.#keepFresh();
  }

  hostDisconnected(): void {
    this.#stop.abort();
  }

  decide(request: ListedRequest, decision: Decision): Promise<void> {
    return this.#order(async ({ administration }) => {
      const came = await administration.decide({ keyDigest: request.keyDigest, ...decision });
      return `${decision.name}: ${came}`;
    });
  }

  /** Every certificate of the participant: by another device, or one that was renewed, it would go on. */
  suspend({ name, role, state }: ListedCertificate, reason: string): Promise<void> {
    const kind = state === "suspended" ? "resume" : "suspend";
    const isConcerned = (each: ListedCertificate): boolean =>
      each.name === name && each.role === role && each.state === state;
    return this.#order(async ({ administration }) => {
      let came = "";
      for (const { leaf, org } of this.#state.certificates.filter(isConcerned)) {
        came = await administration.suspend({ kind, leaf, name, org, role, reason });
      }
      return `${name}: ${kind === "resume" ? "resumed" : "suspended"}, ${came}`;
    });
  }

  revoke({ leaf, name, org, role }: ListedCertificate, reason: string): Promise<void> {
    return this.#order(async ({ administration }) => {
      return `${name}: ${await administration.revoke({ leaf, name, org, role, reason })}`;
    });
  }

  invite(options: InviteOptions): Promise<void> {
    return this.#order(async ({ administration }) => {
      const { fragment } = await administration.invite(options);
      this.#update({ link: `${location.origin}/join#${fragment}` });
      return "The link is ready. Who has it can join.";
    });
  }

  withdraw({ codeDigest, names }: ListedInvite, reason: string): Promise<void> {
    return this.#order(async ({ administration }) => {
      return `${names}: ${await administration.withdrawInvite(codeDigest, reason)}`;
    });
  }

  async #order(order: (federation: SignedInPerson["federation"]) => Promise<string>): Promise<void> {
    this.#update({ isBusy: true, news: "", fault: undefined });
    try {
      this.#update({ news: await order(this.#person.federation) });
      await this.#refresh();
    } catch (error) {
      this.#update({ fault: faultOf(error) });
    }
    this.#update({ isBusy: false });
  }

  async #keepFresh(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#refresh().catch((error: unknown) => this.#update({ fault: faultOf(error) }));
      await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
    }
  }

  async #refresh(): Promise<void> {
    const { administration } = this.#person.federation;
    const [requests, certificates, invites] = await Promise.all([
      administration.requests(),
      administration.certificates(),
      administration.invites(),
    ]);
    this.#update({ requests, certificates, invites });
  }

  #update(change: Partial<AdministrationState>): void {
    if (this.#stop.signal.aborted) return;
    this.#state = { ...this.#state, ...change };
    this.#host.requestUpdate();
  }
}

/** What an administrator decides about a request. */
export interface Decision {
  readonly verdict: "approve" | "deny";
  readonly name: string;
  readonly org: string;
  readonly reason: string;
}

/** What went wrong, with its code. */
export function faultOf(error: unknown): { readonly code: string; readonly message: string } {
  const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
  return { code, message: error instanceof Error ? error.message : "something failed" };
}

/** The key of a list entry. */
export const keyOf = (digest: Uint8Array): string => toHex(digest);
