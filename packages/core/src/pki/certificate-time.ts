import { derContent } from "./der-reader.ts";

const UTC_TIME = 23;
const GENERALIZED_TIME = 24;

/** A moment as a certificate has it. */
export interface CertificateTime {
  /** ms since 1970. */
  readonly atMs: number;
  /** True when it is in the one form that RFC 5280, section 4.1.2.5 has for it: two digits of the year to 2049. */
  readonly isInItsForm: boolean;
}

/**
 * Reads a UTCTime or GeneralizedTime, in seconds and UTC, of a day that exists.
 * @throws RangeError
 */
export function readTime(der: Uint8Array): CertificateTime {
  const isShort = der[0] === UTC_TIME;
  const digits = String.fromCharCode(...derContent(der, isShort ? UTC_TIME : GENERALIZED_TIME));
  // RFC 5280, section 4.1.2.5.1: 50 to 99 are of the 20th century.
  const full = isShort ? `${digits < "5" ? "20" : "19"}${digits}` : digits;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full);
  if (parts === null) throw new RangeError("not a time in seconds and UTC");
  const [, year, month, day, hour, minute, second] = parts;
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const atMs = Date.parse(text);
  // Some engines read the 30th of February as a day of March: only what comes back the same is a time.
  if (Number.isNaN(atMs) || new Date(atMs).toISOString() !== text) throw new RangeError(`no time: ${full}`);
  return { atMs, isInItsForm: isShort || Number(year) >= 2050 };
}
