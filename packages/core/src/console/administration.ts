import type { Bytes } from "../bytes/index.ts";
import { builtInRegistry, encode } from "../decomposer/index.ts";
import { MAX_COMMAND_LIFETIME_MS, sealObject } from "../envelope/index.ts";
import {
  type AdministrationQuery,
  administrationQuery,
  type CertificateOrder,
  certificateList,
  commandDone,
  inviteList,
  type Listed,
  type ListedCertificate,
  type ListedInvite,
  type ListedRequest,
  type MessageDefinition,
  OBJECT_TYPES,
  type RequestDecision,
  requestList,
} from "../message/index.ts";
import type { Identity } from "../pki/index.ts";
import type { Clock, CryptoProvider } from "../platform/index.ts";
import { type InviteOptions, sealInvite } from "../provision/index.ts";
import { type Requests, type Session, type SuspensionOrder, sealSuspension } from "../session/index.ts";

/** What {@link Administration} works with. */
export interface AdministrationModules {
  /** The administrator's session. */
  readonly session: Session;
  /** The administrator: his key signs every order. */
  readonly identity: Identity;
  /** Root of the project, DER. */
  readonly root: Bytes;
  /** Requests that wait for their replies. */
  readonly requests: Requests;
  /** Signs. */
  readonly crypto: CryptoProvider;
  /** Time of the orders. */
  readonly clock: Pick<Clock, "now">;
}

/** An invite that the server has taken. */
export interface MadeInvite {
  /** Fragment of the join link, without `#`: a secret, which only this side has seen. */
  readonly fragment: string;
  /** SHA-256 of its code: names the invite in lists. */
  readonly codeDigest: Bytes;
}

/** Pages of a list that are read at most: 100 000 entries. */
const MAX_PAGES = 500;

/**
 * A project as its administrators run it. Every order is an OBJECT signed by the administrator's own key; the server can
 * neither give one nor change one.
 */
export class Administration {
  readonly #modules: AdministrationModules;

  constructor(modules: AdministrationModules) {
    this.#modules = modules;
  }

  /**
   * Makes an invite. The code is made here: the server gets its digest, and sees the code when it is used.
   * @throws RangeError for options that are out of range; RequestError `ERR_FORBIDDEN`, `ERR_QUOTA_EXCEEDED`
   */
  async invite(options: InviteOptions, signal?: AbortSignal): Promise<MadeInvite> {
    const { session } = this.#modules;
    const { object, fragment, codeDigest } = await sealInvite(options, {
      ...this.#modules,
      server: session.peer,
    });
    await this.#send(object, signal);
    return { codeDigest, fragment };
  }

  /** Invites of the project, or of the own organization. */
  async invites(signal?: AbortSignal): Promise<readonly ListedInvite[]> {
    return await this.#list({ kind: "invites" }, inviteList, signal);
  }

  /** Ends an invite. @throws RequestError `ERR_REQUEST_UNKNOWN`, `ERR_FORBIDDEN` */
  async withdrawInvite(codeDigest: Bytes, reason: string, signal?: AbortSignal): Promise<string> {
    return await this.#order(OBJECT_TYPES.inviteWithdrawal, { codeDigest, reason }, signal);
  }

  /** Requests for certificates that came without an invite. */
  async requests(signal?: AbortSignal): Promise<readonly ListedRequest[]> {
    return await this.#list({ kind: "requests" }, requestList, signal);
  }

  /**
   * Approves or denies a request, after its fingerprint was compared with the requester's own.
   * @returns what came of it, for people
   * @throws RequestError `ERR_REQUEST_UNKNOWN`, `ERR_NAME_TAKEN`, `ERR_FORBIDDEN`
   */
  async decide(decision: RequestDecision, signal?: AbortSignal): Promise<string> {
    return await this.#order(OBJECT_TYPES.requestDecision, decision, signal);
  }

  /** Certificates that the server issued, that are suspended, or whose holders are connected. */
  async certificates(signal?: AbortSignal): Promise<readonly ListedCertificate[]> {
    return await this.#list({ kind: "certificates" }, certificateList, signal);
  }

  /** Certificates of the sites of a study that the administrator is in; of another study none. */
  async certificatesOf(study: string, signal?: AbortSignal): Promise<readonly ListedCertificate[]> {
    return await this.#list({ kind: "certificates", study }, certificateList, signal);
  }

  /** Revokes a certificate of the enrolment CA. @throws RequestError `ERR_REQUEST_UNKNOWN`, `ERR_FORBIDDEN` */
  async revoke(order: CertificateOrder, signal?: AbortSignal): Promise<string> {
    return await this.#order(OBJECT_TYPES.certificateRevocation, order, signal);
  }

  /** Suspends a certificate at once, for everybody, or ends that. @throws RequestError `ERR_FORBIDDEN` */
  async suspend(order: SuspensionOrder, signal?: AbortSignal): Promise<string> {
    return await this.#send(await sealSuspension(order, this.#modules), signal);
  }

  async #order<Payload>(objectType: number, payload: Payload, signal?: AbortSignal): Promise<string> {
    const { identity, crypto, clock, session } = this.#modules;
    const object = await sealObject(
      {
        objectType,
        audience: session.peer.name,
        issuedAt: Math.trunc(clock.now()),
        lifetimeMs: MAX_COMMAND_LIFETIME_MS,
        payload: encode(payload, builtInRegistry()),
      },
      { identity, crypto },
    );
    return await this.#send(object, signal);
  }

  async #send(object: Bytes, signal?: AbortSignal): Promise<string> {
    const { requests, identity } = this.#modules;
    const reply = await requests.order(object, identity.participant.chain, signal);
    return commandDone.parse(reply).detail;
  }

  async #list<Entry>(
    what: Omit<AdministrationQuery, "after">,
    definition: MessageDefinition<Listed<Entry>>,
    signal?: AbortSignal,
  ): Promise<readonly Entry[]> {
    const all: Entry[] = [];
    let after: string | undefined;
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = after === undefined ? what : { ...what, after };
      const reply = await this.#modules.requests.ask(administrationQuery, query, signal);
      const { entries, next } = definition.parse(reply);
      all.push(...entries);
      if (next === undefined) break;
      after = next;
    }
    return all;
  }
}
