import { isIP } from "node:net";
import { InvalidArgumentError } from "commander";

/** A whole number within bounds, for commander. */
export function integerFrom(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`expected a whole number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

/** A TCP port, 0 for any that is free, for commander. */
export const port: (text: string) => number = integerFrom(0, 65_535);

/** One of a few words, for commander. */
export function oneOf<Word extends string>(...words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const word = words.find((candidate) => candidate === text);
    if (word === undefined) throw new InvalidArgumentError(`expected one of ${words.join(", ")}.`);
    return word;
  };
}

/** Addresses of an option that may be repeated, for commander. */
export function addresses(text: string, before: readonly string[] = []): readonly string[] {
  if (isIP(text) === 0)
    throw new InvalidArgumentError("expected an address such as 192.0.2.1 or 2001:db8::1.");
  return [...before, text];
}

/** An option that may be repeated, for commander. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** A text of 1 to `most` characters, for commander. */
export function textUpTo(most: number): (text: string) => string {
  return (text) => {
    if (text.trim() === "" || text.length > most) {
      throw new InvalidArgumentError(`expected 1 to ${most} characters.`);
    }
    return text;
  };
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time such as `90s`, `30m`, `12h` or `7d` in ms, for commander. @param mostMs longest that is accepted */
export function durationUpTo(mostMs: number): (text: string) => number {
  return (text) => {
    const [, count = "", unit = ""] = /^([1-9][0-9]{0,4})([smhd])$/.exec(text) ?? [];
    const ms = Number(count) * (UNIT_MS[unit] ?? 0);
    if (ms > 0 && ms <= mostMs) return ms;
    throw new InvalidArgumentError(`expected a time such as 12h or 7d, at most ${mostMs / 86_400_000} days.`);
  };
}

/** Id of a job, for commander. */
export function jobId(text: string): string {
  if (!/^[0-9a-f]{32}$/.test(text)) {
    throw new InvalidArgumentError("expected the id of a job: 32 hexadecimal digits.");
  }
  return text;
}
