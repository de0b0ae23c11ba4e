import * as v from "valibot";
import { type Bytes, fromBase64Url, toBase64Url } from "../bytes/index.ts";
import { PkiError } from "../errors/index.ts";
import type { MetadataStore } from "../platform/index.ts";
import { EnrolmentRecords } from "./enrolment-records.ts";

/** Certificates that one participant may have at once: one for each device (protocol, section 1). */
export const MAX_DEVICES = 3;

/** A certificate that has expired may be renewed by its key for so long. */
export const RENEWAL_GRACE_MS: number = 30 * 86_400_000;

/** One device of a participant. */
export interface Device {
  /** SHA-256 of its SubjectPublicKeyInfo, hex. */
  readonly key: string;
  /** When its newest certificate expires, ms since 1970. */
  readonly notAfterMs: number;
  /** True when its certificates were revoked. */
  readonly isRevoked: boolean;
}

/** A site that enrolled: its name is taken for good. */
export interface EnrolledParticipant {
  /** Organization. */
  readonly org: string;
  /** Study of the invite by which it joined. */
  readonly study?: string;
  /** Its devices; those that were given up long ago make room. */
  readonly devices: readonly Device[];
}

/** What an invite says of who joins by it. */
export type Joining = Pick<EnrolledParticipant, "org" | "study">;

/** What was issued to a key last. */
export interface KeyHolder {
  /** Name of the site. */
  readonly name: string;
  /** Digest of the invite or approval in its certificate. */
  readonly inviteDigest: Bytes;
  /** Its newest certificate, DER. */
  readonly leaf: Bytes;
}

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const timeMs = v.pipe(v.number(), v.safeInteger());

const ParticipantSchema: v.GenericSchema<unknown, EnrolledParticipant> = v.strictObject({
  org: text(63),
  study: v.exactOptional(text(63)),
  devices: v.pipe(
    v.array(
      v.strictObject({
        key: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
        notAfterMs: timeMs,
        isRevoked: v.boolean(),
      }),
    ),
    v.maxLength(MAX_DEVICES),
  ),
});

const HolderSchema = v.strictObject({ name: text(63), inviteDigest: text(43), leaf: text(11_000) });

/** Sites that enrolled, their devices, and what each key was issued. */
export class EnrolledParticipants {
  readonly #participants: EnrolmentRecords<EnrolledParticipant>;
  readonly #holders: EnrolmentRecords<v.InferOutput<typeof HolderSchema>>;

  constructor(metadata: MetadataStore) {
    this.#participants = new EnrolmentRecords(metadata, "enrolment/participants/", ParticipantSchema);
    this.#holders = new EnrolmentRecords(metadata, "enrolment/keys/", HolderSchema);
  }

  /** Who has a name. */
  async find(name: string): Promise<EnrolledParticipant | undefined> {
    return await this.#participants.find(name);
  }

  /** Whose names begin so, by name. */
  async under(prefix: string): Promise<ReadonlyMap<string, EnrolledParticipant>> {
    return await this.#participants.list(prefix);
  }

  /** Takes a name for a new participant. @returns false when another key has it */
  async claim(name: string, { org, study }: Joining, device: Device): Promise<boolean> {
    const invited = study === undefined ? {} : { study };
    if (await this.#participants.create(name, { org, ...invited, devices: [device] })) return true;
    const present = await this.#participants.find(name);
    return present?.devices.some(({ key, isRevoked }) => key === device.key && !isRevoked) ?? false;
  }

  /**
   * Takes a name, or a further device of who has it.
   * @throws PkiError `ERR_NAME_TAKEN` when it belongs to another organization, `ERR_QUOTA_EXCEEDED` when it has
   *   {@link MAX_DEVICES} devices
   */
  async addDevice(
    name: string,
    { org, study }: Joining,
    { device, nowMs }: { readonly device: Device; readonly nowMs: number },
  ): Promise<void> {
    await this.#participants.change(name, (present) => {
      if (present === undefined) return { org, ...(study === undefined ? {} : { study }), devices: [device] };
      if (present.org !== org) throw new PkiError("ERR_NAME_TAKEN", `${name} belongs to ${present.org}`);
      // An invite of one study moves nobody into it from another.
      if (study !== undefined && present.study !== study)
        throw new PkiError("ERR_NAME_TAKEN", `${name} was not invited to ${study}`);
      if (present.devices.some(({ key, isRevoked }) => key === device.key && !isRevoked)) return present;
      const kept = present.devices.filter((each) => isInUse(each, nowMs) && each.key !== device.key);
      if (kept.length >= MAX_DEVICES) {
        throw new PkiError("ERR_QUOTA_EXCEEDED", `${name} has ${kept.length} devices already`);
      }
      return { ...present, devices: [...kept, device] };
    });
  }

  /** Notes what a key was issued. */
  async issued(key: string, holder: KeyHolder, notAfterMs: number): Promise<void> {
    const { name, inviteDigest, leaf } = holder;
    await this.#participants.change(name, (present) => {
      if (present === undefined) throw new RangeError("a certificate is issued for a name that was claimed");
      const devices = present.devices.map((each) => (each.key === key ? { ...each, notAfterMs } : each));
      return { ...present, devices };
    });
    const record = { name, inviteDigest: toBase64Url(inviteDigest), leaf: toBase64Url(leaf) };
    await this.#holders.change(key, () => record);
  }

  /** Whom a key was issued to; `undefined` for a key that never was. */
  async holderOf(key: string): Promise<KeyHolder | undefined> {
    const record = await this.#holders.find(key);
    if (record === undefined) return undefined;
    const { name, inviteDigest, leaf } = record;
    return { name, inviteDigest: fromBase64Url(inviteDigest), leaf: fromBase64Url(leaf) };
  }

  /** Their keys are issued nothing more. @param keys of certain devices; all by default */
  async revoke(name: string, keys?: ReadonlySet<string>): Promise<void> {
    if ((await this.#participants.find(name)) === undefined) return;
    await this.#participants.change(name, (present = { org: "", devices: [] }) => ({
      ...present,
      devices: present.devices.map((each) =>
        keys === undefined || keys.has(each.key) ? { ...each, isRevoked: true } : each,
      ),
    }));
  }
}

/** A device that was revoked, or not renewed in time, makes room for another. */
function isInUse({ notAfterMs, isRevoked }: Device, nowMs: number): boolean {
  return !isRevoked && nowMs <= notAfterMs + RENEWAL_GRACE_MS;
}
