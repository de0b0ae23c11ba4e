import * as v from "valibot";
import { type Bytes, fromBase64Url, toBase64Url } from "../bytes/index.ts";
import { AuthorizationError, PkiError } from "../errors/index.ts";
import type { RequestDecision } from "../message/index.ts";
import { isMachineName, isName, LIFETIME_MS, openCertificateRequest } from "../pki/index.ts";
import type { MetadataStore } from "../platform/index.ts";
import { EnrolledParticipants } from "./enrolled-participants.ts";
import { EnrolmentRecords } from "./enrolment-records.ts";
import { type EnrolmentModules, keyName } from "./invite.ts";
import {
  type EnrolledSite,
  type EnrolmentAuthority,
  issueSite,
  renewSite,
  requireUsableIssuer,
} from "./site-certificate.ts";

/** Who has approved a request. */
export interface Approval {
  /** SHA-256 of the administrator's certificate, hex. */
  readonly leaf: string;
  /** Name of the administrator. */
  readonly by: string;
  /** The signed object, base64url: what the certificate rests on. */
  readonly object: string;
}

/** A request that came without an invite, by the key that asks. */
export interface RequestRecord {
  /** PKCS#10, DER, base64url. */
  readonly request: string;
  /** Name that it asks for; empty when a site could not have it. */
  readonly name: string;
  /** Organization that it names; empty when it names none. */
  readonly org: string;
  /** Network that it came from. */
  readonly from: string;
  /** When it came, ms since 1970. */
  readonly requestedAtMs: number;
  /** Where it stands. */
  readonly state: "pending" | "approved" | "denied";
  /** Approvals so far. */
  readonly approvals: readonly Approval[];
  /** Name that the administrators gave; empty before the first approval. */
  readonly givenName: string;
  /** Organization that they gave. */
  readonly givenOrg: string;
  /** Why it was denied. */
  readonly reason: string;
}

/** Limits of requests that nobody has invited. */
export interface RequestLimits {
  /** Requests that wait at once. Default 256. */
  readonly pending: number;
  /** Those of one network. Default 16. */
  readonly pendingOfNetwork: number;
  /** Administrators who have to approve: with 2 no one alone admits anybody. Default 1. */
  readonly approvals: 1 | 2;
}

/** What holds where an option does not say otherwise. */
export const DEFAULT_REQUEST_LIMITS: RequestLimits = { pending: 256, pendingOfNetwork: 16, approvals: 1 };

/** A request that nobody decides, and a decision that nobody fetches, are kept so long. */
const KEEP_MS = 14 * 86_400_000;

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));

const RequestSchema: v.GenericSchema<unknown, RequestRecord> = v.strictObject({
  request: text(11_000),
  name: text(128),
  org: text(63),
  from: text(64),
  requestedAtMs: v.pipe(v.number(), v.safeInteger()),
  state: v.picklist(["pending", "approved", "denied"]),
  approvals: v.pipe(
    v.array(v.strictObject({ leaf: text(64), by: text(128), object: text(8192) })),
    v.maxLength(2),
  ),
  givenName: text(63),
  givenOrg: text(63),
  reason: text(200),
});

/** What a key without an invite gets. */
export type RequestOutcome =
  /** It waits for an administrator. */
  | {
      readonly kind: "pending";
      readonly isNew: boolean;
      readonly key: string;
      readonly record: RequestRecord;
    }
  | { readonly kind: "denied"; readonly key: string; readonly reason: string }
  /** Its certificate; `isRenewal` when it had one before. */
  | {
      readonly kind: "issued";
      readonly key: string;
      readonly isRenewal: boolean;
      readonly site: EnrolledSite;
      readonly requestedName: string;
    };

/** An administrator as the signature of a command proves him. */
export interface Approver {
  /** SHA-256 of his certificate, hex. */
  readonly leaf: string;
  /** Name in it. */
  readonly name: string;
  /** SHA-256 of his SubjectPublicKeyInfo, hex. */
  readonly key: string;
  /** The signed object. */
  readonly object: Bytes;
}

/** Requests for certificates by keys that have no invite: they wait until administrators have compared fingerprints. */
export class CertificateRequests {
  readonly #records: EnrolmentRecords<RequestRecord>;
  readonly #participants: EnrolledParticipants;
  readonly #authority: EnrolmentAuthority;
  readonly #modules: EnrolmentModules;
  readonly #limits: RequestLimits;

  constructor(
    authority: EnrolmentAuthority,
    modules: EnrolmentModules & { readonly metadata: MetadataStore },
    limits: Partial<RequestLimits> = {},
  ) {
    this.#authority = authority;
    this.#modules = modules;
    this.#limits = { ...DEFAULT_REQUEST_LIMITS, ...limits };
    this.#records = new EnrolmentRecords(modules.metadata, "enrolment/requests/", RequestSchema);
    this.#participants = new EnrolledParticipants(modules.metadata);
  }

  /** How many administrators have to approve. */
  get approvalsNeeded(): 1 | 2 {
    return this.#limits.approvals;
  }

  /** Every request that is kept, by its key. */
  async list(): Promise<ReadonlyMap<string, RequestRecord>> {
    return await this.#records.list();
  }

  /**
   * A key asks for its certificate: the next one when it has one, the first once it was approved; otherwise it waits.
   *
   * @param from network that it comes from, by which waiting requests are limited
   * @throws PkiError `ERR_REQUEST_MALFORMED`, `ERR_CERTIFICATE_SIGNATURE`, `ERR_CERTIFICATE_UNSUPPORTED` for the request;
   *   `ERR_CERTIFICATE_EXPIRED`, `ERR_REVOKED`, `ERR_QUOTA_EXCEEDED`
   */
  async ask(request: Bytes, from: string): Promise<RequestOutcome> {
    const { crypto, clock } = this.#modules;
    requireUsableIssuer(this.#authority, clock.now());
    const opened = await openCertificateRequest(request, { crypto });
    const { spki } = opened.publicKey;
    const key = await keyName(spki, this.#modules);
    const requestedName = opened.subject.commonName ?? "";
    const holder = await this.#participants.holderOf(key);
    if (holder !== undefined) {
      const site = await renewSite(holder, this.#authority, this.#modules);
      return { kind: "issued", key, isRenewal: true, site, requestedName };
    }
    const record = await this.#find(key);
    if (record === undefined) return await this.#wait(request, { key, from, subject: opened.subject });
    if (record.state === "denied") return { kind: "denied", key, reason: record.reason };
    if (record.state === "pending") return { kind: "pending", isNew: false, key, record };
    const site = await this.#issue(record, spki);
    await this.#records.delete(key);
    return { kind: "issued", key, isRenewal: false, site, requestedName };
  }

  /**
   * The next certificate for a key in whose session it is asked for.
   * @throws PkiError `ERR_REQUEST_UNKNOWN`, `ERR_CERTIFICATE_EXPIRED`, `ERR_REVOKED`
   */
  async renew(spki: Bytes): Promise<EnrolledSite> {
    const holder = await this.#participants.holderOf(await keyName(spki, this.#modules));
    if (holder === undefined)
      throw new PkiError("ERR_REQUEST_UNKNOWN", "nothing was issued to this key here");
    return await renewSite(holder, this.#authority, this.#modules);
  }

  /**
   * An administrator decides. With two approvals needed, the first one says which name is given, and the second has to be
   * somebody else's and say the same.
   *
   * @throws PkiError `ERR_REQUEST_UNKNOWN` when nothing of this key waits, `ERR_NAME_TAKEN`; AuthorizationError
   *   `ERR_FORBIDDEN` for the own key
   * @returns the request as it stands then
   */
  async decide(
    { verdict, name, org, reason }: RequestDecision,
    key: string,
    by: Approver,
  ): Promise<RequestRecord> {
    if (by.key === key) throw new AuthorizationError("ERR_FORBIDDEN", "nobody decides about his own key");
    const isFree = this.#authority.isProvisioned?.(name) !== true;
    return await this.#records.change(key, async (present) => {
      const record = present === undefined ? undefined : this.#current(present);
      if (record?.state !== "pending") {
        throw new PkiError("ERR_REQUEST_UNKNOWN", "no request of this key waits");
      }
      if (verdict === "deny") return { ...record, state: "denied", reason };
      const before = record.approvals[0];
      requireAnother(before, by);
      const isSame = record.givenName === name && record.givenOrg === org;
      if (before !== undefined && !isSame) {
        throw new PkiError(
          "ERR_NAME_TAKEN",
          `${before.by} approved ${record.givenName} of ${record.givenOrg}`,
        );
      }
      const approval = { leaf: by.leaf, by: by.name, object: toBase64Url(by.object) };
      const approvals = [...record.approvals, approval];
      const isApproved = approvals.length >= this.#limits.approvals;
      if (!isFree || !(await this.#mayHave(name, { org, key, claims: isApproved }))) {
        throw new PkiError("ERR_NAME_TAKEN", `${name} is another participant's`);
      }
      return {
        ...record,
        state: isApproved ? "approved" : "pending",
        approvals,
        givenName: name,
        givenOrg: org,
      };
    });
  }

  async #mayHave(
    name: string,
    { org, key, claims }: { readonly org: string; readonly key: string; readonly claims: boolean },
  ): Promise<boolean> {
    if (!claims) return (await this.#participants.find(name)) === undefined;
    const notAfterMs = this.#modules.clock.now() + LIFETIME_MS.enrolledSite;
    return await this.#participants.claim(name, { org }, { key, notAfterMs, isRevoked: false });
  }

  async #issue(
    { givenName: name, givenOrg: org, approvals }: RequestRecord,
    spki: Bytes,
  ): Promise<EnrolledSite> {
    const evidence = fromBase64Url(approvals[0]?.object ?? "");
    const inviteDigest = await this.#modules.crypto.sha256(evidence);
    return await issueSite({ name, org, spki, inviteDigest }, this.#authority, this.#modules);
  }

  async #wait(request: Bytes, { key, from, subject }: Waiting): Promise<RequestOutcome> {
    const waiting = await this.#waiting();
    const ofNetwork = waiting.filter((each) => each.from === from).length;
    if (waiting.length >= this.#limits.pending || ofNetwork >= this.#limits.pendingOfNetwork) {
      throw new PkiError("ERR_QUOTA_EXCEEDED", "too many requests wait for an administrator");
    }
    const { commonName = "", organization = "" } = subject;
    const record: RequestRecord = {
      request: toBase64Url(request),
      name: isMachineName(commonName) ? commonName : "",
      org: isName(organization) ? organization : "",
      from,
      requestedAtMs: Math.trunc(this.#modules.clock.now()),
      state: "pending",
      approvals: [],
      givenName: "",
      givenOrg: "",
      reason: "",
    };
    const isNew = await this.#records.create(key, record);
    return { kind: "pending", isNew, key, record };
  }

  /** Those that wait; what nobody has decided or fetched in time is forgotten on the way. */
  async #waiting(): Promise<readonly RequestRecord[]> {
    const waiting: RequestRecord[] = [];
    for (const [key, record] of await this.#records.list()) {
      if (this.#current(record) === undefined) await this.#records.delete(key);
      else if (record.state === "pending") waiting.push(record);
    }
    return waiting;
  }

  async #find(key: string): Promise<RequestRecord | undefined> {
    const record = await this.#records.find(key);
    return record === undefined ? undefined : this.#current(record);
  }

  #current(record: RequestRecord): RequestRecord | undefined {
    return this.#modules.clock.now() < record.requestedAtMs + KEEP_MS ? record : undefined;
  }
}

interface Waiting {
  readonly key: string;
  readonly from: string;
  readonly subject: { readonly commonName: string | undefined; readonly organization: string | undefined };
}

/** Two approvals are of two people with two certificates. @throws PkiError `ERR_REQUEST_UNKNOWN` */
function requireAnother(before: Approval | undefined, by: Approver): void {
  if (before === undefined || (before.leaf !== by.leaf && before.by !== by.name)) return;
  throw new PkiError(
    "ERR_REQUEST_UNKNOWN",
    `${by.name} has approved this request; another administrator has to`,
  );
}
