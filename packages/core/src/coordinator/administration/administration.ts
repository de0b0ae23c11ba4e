import type { AuditLog, AuditNote } from "../../audit/index.ts";
import { type AdministrationOrder, decideOrder, decisionDetails } from "../../authorization/index.ts";
import { equalBytes, toHex } from "../../bytes/index.ts";
import { builtInRegistry, decode } from "../../decomposer/index.ts";
import { MAX_COMMAND_LIFETIME_MS, type ObjectRule, type VerifiedObject } from "../../envelope/index.ts";
import { AuthorizationError, MessageError, PhotinusError, PkiError } from "../../errors/index.ts";
import {
  ADMINISTRATOR_ROLES,
  commandDone,
  OBJECT_TYPES,
  parseCertificateOrder,
  parseInviteOrder,
  parseInviteWithdrawal,
  parseRequestDecision,
} from "../../message/index.ts";
import { type Participant, parseCertificate } from "../../pki/index.ts";
import {
  type Approver,
  DEFAULT_INVITE_QUOTA,
  InviteStore,
  inviteTerms,
  keyName,
} from "../../provision/index.ts";
import { isSuspensionObject, type MessageRoute, type Session, takeSuspension } from "../../session/index.ts";
import { boundedAudit } from "../bounded-audit.ts";
import { Studies } from "../studies.ts";
import { listingRoute } from "./listings.ts";
import type { AdministrationModules, AdministrationOptions, EnrolmentDesk } from "./options.ts";
import { renewalRoute } from "./renewal.ts";

const COMMAND: ObjectRule = {
  signers: ADMINISTRATOR_ROLES,
  maximumLifetimeMs: MAX_COMMAND_LIFETIME_MS,
  counted: false,
};

/** Objects that a server takes beside those that everybody does: the orders of administrators, for ten minutes at most. */
export const ADMINISTRATION_OBJECT_RULES: ReadonlyMap<number, ObjectRule> = new Map<number, ObjectRule>([
  [OBJECT_TYPES.invite, { ...COMMAND, signers: [...ADMINISTRATOR_ROLES, "site"] }],
  [OBJECT_TYPES.inviteWithdrawal, COMMAND],
  [OBJECT_TYPES.requestDecision, COMMAND],
  [OBJECT_TYPES.certificateRevocation, COMMAND],
]);

/** A site's invite for a further device of its own is for now: the device is at hand. */
const DEVICE_INVITE_MS = 3_600_000;

/** An order that was understood: whether its signer may give it is still to be decided. */
interface Understood {
  readonly order: AdministrationOrder;
  /** What it is about, for the audit record. */
  readonly object: string;
  readonly reason: string;
  /** Does it. @returns what came of it, for people */
  readonly effect: () => Promise<string>;
}

interface Recorded extends Pick<Understood, "order" | "object" | "reason"> {
  readonly details?: Readonly<Record<string, string>>;
}

/**
 * What administrators order: each order is an OBJECT that its signer's own key has signed, so that no server can give one,
 * and none has its effect twice. Who, whom and why go into the audit chain before the effect.
 */
export class Administration {
  readonly #options: AdministrationOptions;
  readonly #modules: AdministrationModules;
  readonly #invites: InviteStore;
  /** Where refusals of a session are recorded. */
  readonly #refusals = new WeakMap<Session, AuditLog>();

  constructor(options: AdministrationOptions, modules: AdministrationModules) {
    this.#options = options;
    this.#modules = modules;
    this.#invites = new InviteStore(modules.metadata);
  }

  /** Messages of administrators beside their orders. */
  get routes(): readonly MessageRoute[] {
    return [listingRoute(this.#invites, this.#modules)];
  }

  /** Messages of sites. */
  get siteRoutes(): readonly MessageRoute[] {
    return [renewalRoute(this.#modules)];
  }

  /**
   * An order arrived; its signature, role, times and id have been verified.
   * @throws MessageError `ERR_TYPE_UNKNOWN`, `ERR_MESSAGE_MALFORMED`; AuthorizationError `ERR_FORBIDDEN`; PkiError
   */
  async take(object: VerifiedObject, session: Session): Promise<void> {
    const { signer } = object;
    if (session.peer.role === "site" && object.objectType !== OBJECT_TYPES.invite) {
      // A site invites its own next device and orders nothing else: whoever tries is no site of ours.
      session.close("ERR_TYPE_UNKNOWN", "objects are not expected here").catch(() => undefined); // it ended by itself
      throw new MessageError(
        "ERR_TYPE_UNKNOWN",
        `objects of type ${object.objectType} are no orders of sites`,
      );
    }
    if (!equalBytes(signer.leafDigest, session.peer.leafDigest)) {
      throw new AuthorizationError("ERR_FORBIDDEN", "an order is brought by the one who signed it");
    }
    const understood = await this.#understand(object);
    const decision = decideOrder(signer, understood.order, this.#modules.authorizer);
    if (!decision.allowed) {
      const log = this.#refusalsOf(session);
      await log.record(noteOf(object, { ...understood, details: decisionDetails(decision) }, "refused"));
      throw new AuthorizationError("ERR_FORBIDDEN", decision.why);
    }
    await this.#requireAllowed(object, understood);
    const detail = await this.#carryOut(object, understood);
    // An answer that is lost with the session is no failure of the order: it must count as one that had its effect.
    await session.send(commandDone, { detail }, { inReplyTo: object.objectId }).catch((error: unknown) => {
      if (!session.signal.aborted) throw error;
    });
  }

  /** @throws PluginError `ERR_PLUGIN_REFUSED` */
  async #requireAllowed({ signer, objectId }: VerifiedObject, understood: Understood): Promise<void> {
    const { name, role, org } = signer;
    const facts = { actor: { name, role, org }, command: understood.order.kind, object: understood.object };
    await this.#modules.plugins?.require("command", facts, { correlation: toHex(objectId) });
  }

  /** Recorded first: an order that cannot be recorded has no effect. */
  async #carryOut(object: VerifiedObject, understood: Understood): Promise<string> {
    const { audit } = this.#modules;
    await audit.record(noteOf(object, understood, "accepted"));
    try {
      return await understood.effect();
    } catch (error) {
      const code = error instanceof PhotinusError ? error.code : "ERR_INTERNAL";
      await audit.record(noteOf(object, { ...understood, reason: code }, "failed"));
      throw error instanceof RangeError ? new MessageError("ERR_MESSAGE_MALFORMED", error.message) : error;
    }
  }

  /** Who orders what it may not, again and again, fills no disk. */
  #refusalsOf(session: Session): AuditLog {
    const { audit, clock } = this.#modules;
    const log = this.#refusals.get(session) ?? boundedAudit(audit, clock);
    this.#refusals.set(session, log);
    return log;
  }

  async #understand(object: VerifiedObject): Promise<Understood> {
    const payload = decode(object.payload, builtInRegistry());
    switch (object.objectType) {
      case OBJECT_TYPES.invite:
        return this.#invite(object, payload);
      case OBJECT_TYPES.inviteWithdrawal:
        return await this.#withdraw(payload);
      case OBJECT_TYPES.requestDecision:
        return this.#decide(object, payload);
      case OBJECT_TYPES.certificateRevocation:
        return await this.#revoke(payload);
      default:
        if (isSuspensionObject(object)) return this.#suspend(object, payload);
        throw new MessageError("ERR_TYPE_UNKNOWN", `objects of type ${object.objectType} are no orders`);
    }
  }

  #invite({ signer }: VerifiedObject, payload: unknown): Understood {
    const { codeDigest, ...options } = parseInviteOrder(payload);
    const { org, name, prefix = "" } = options;
    return {
      order: { kind: "invite", org, name },
      object: `${org}/${name ?? `${prefix}-*`}`,
      reason: `${options.uses} until ${new Date(options.expiresAtMs).toISOString()}`,
      effect: async () => {
        this.#enrolment();
        const nowMs = this.#modules.clock.now();
        if (signer.role === "site" && options.expiresAtMs > nowMs + DEVICE_INVITE_MS) {
          throw new MessageError(
            "ERR_MESSAGE_MALFORMED",
            "an invite for an own device lasts an hour at most",
          );
        }
        this.#requireStudy(options.study, signer);
        const { quota = DEFAULT_INVITE_QUOTA } = this.#options;
        const byKey = signer.role === "site" ? { byKey: await this.#keyOf(signer.chain[0]) } : {};
        const invite = { ...inviteTerms(options, nowMs), by: signer.name, ...byKey };
        await this.#invites.add(codeDigest, invite, { quota, nowMs });
        return "the link works";
      },
    };
  }

  /** @throws AuthorizationError `ERR_FORBIDDEN`, of a study that one is not in as of one that is not there */
  #requireStudy(study: string | undefined, signer: Participant): void {
    if (study === undefined || new Studies(this.#modules, this.#modules).actorIn(study, signer) !== undefined)
      return;
    throw new AuthorizationError("ERR_FORBIDDEN", `there is no study ${study} for ${signer.name}`);
  }

  async #withdraw(payload: unknown): Promise<Understood> {
    const { codeDigest, reason } = parseInviteWithdrawal(payload);
    const invite = await this.#invites.find(codeDigest);
    // An invite that is not there is nobody's: an administrator of an organization learns as much.
    const org = invite?.org ?? "";
    return {
      order: { kind: "withdraw", org },
      object: toHex(codeDigest),
      reason,
      effect: async () => {
        await this.#invites.withdraw(codeDigest);
        return "the link works no more";
      },
    };
  }

  #decide({ signer, bytes }: VerifiedObject, payload: unknown): Understood {
    const decision = parseRequestDecision(payload);
    const { keyDigest, verdict, name, org, reason } = decision;
    return {
      order: { kind: verdict },
      object: `${toHex(keyDigest)} ${org}/${name}`,
      reason,
      effect: async () => {
        const { requests } = this.#enrolment();
        const by: Approver = {
          leaf: toHex(signer.leafDigest),
          name: signer.name,
          key: await this.#keyOf(signer.chain[0]),
          object: bytes,
        };
        const record = await requests.decide(decision, toHex(keyDigest), by);
        if (record.state === "denied") return "denied";
        const missing = requests.approvalsNeeded - record.approvals.length;
        return missing > 0 ? `approved; ${missing} more administrator has to approve` : "approved";
      },
    };
  }

  async #keyOf(leaf: Uint8Array<ArrayBuffer> | undefined): Promise<string> {
    const { publicKey } = await parseCertificate(leaf ?? new Uint8Array(0), this.#modules);
    return await keyName(publicKey.spki, this.#modules);
  }

  async #revoke(payload: unknown): Promise<Understood> {
    const { leaf, name, reason } = parseCertificateOrder(payload);
    const digest = toHex(leaf);
    const issued = (await this.#modules.enrolment?.issued.list()) ?? [];
    const certificate = issued.find((each) => each.leaf === digest);
    const org = certificate === undefined ? "" : await this.#orgOf(certificate.der);
    return {
      order: { kind: "revoke", org },
      object: `${digest} ${certificate?.name ?? name}`,
      reason,
      effect: async () => {
        if (certificate === undefined) {
          throw new PkiError(
            "ERR_REQUEST_UNKNOWN",
            "the enrolment CA issued no such certificate: suspend it here, revoke it by the root's key",
          );
        }
        const revoked = await this.#enrolment().issued.revoke([certificate], reason);
        return revoked > 0 ? "revoked" : "it was revoked before";
      },
    };
  }

  async #orgOf(der: Uint8Array<ArrayBuffer>): Promise<string> {
    return (await parseCertificate(der, this.#modules)).subject.organization ?? "";
  }

  #suspend(object: VerifiedObject, payload: unknown): Understood {
    const { leaf, name, reason } = parseCertificateOrder(payload);
    const kind = object.objectType === OBJECT_TYPES.suspension ? "suspend" : "resume";
    return {
      order: { kind },
      object: `${toHex(leaf)} ${name}`,
      reason,
      effect: async () => {
        if (equalBytes(leaf, object.signer.leafDigest)) {
          throw new AuthorizationError("ERR_FORBIDDEN", "nobody suspends the certificate that he uses");
        }
        const changes = await takeSuspension(object, this.#modules.revocations);
        if (!changes) return "a later decision about this certificate holds";
        return kind === "suspend" ? `until ${new Date(object.expiresAt).toISOString()}` : "it counts again";
      },
    };
  }

  /** @throws PkiError `ERR_REQUEST_UNKNOWN` */
  #enrolment(): EnrolmentDesk {
    const { enrolment } = this.#modules;
    if (enrolment !== undefined) return enrolment;
    throw new PkiError("ERR_REQUEST_UNKNOWN", "this server has no enrolment CA: it admits nobody by itself");
  }
}

function noteOf(
  { signer, objectId }: VerifiedObject,
  { order, object, reason, details }: Recorded,
  outcome: "accepted" | "refused" | "failed",
): AuditNote {
  return {
    actor: `${toHex(signer.leafDigest)} ${signer.name}`,
    action: order.kind,
    object,
    outcome,
    reason,
    correlation: toHex(objectId),
    ...(details === undefined ? {} : { details }),
  };
}
