import { type KeyObject, verify } from "node:crypto";
import { type Value, valuesOf } from "./der.ts";
import { demand } from "./refused.ts";

/** What a revocation list says (RFC 5280, section 5). */
export interface RevocationList {
  readonly number: bigint;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** Hexadecimal. */
  readonly serialNumbers: readonly string[];
}

function timeOf({ content }: Value): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(content.toString("latin1")) ?? [];
  return Date.UTC(
    2000 + Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
}

const AUTH_FAILED = 4003;
const CRL_NUMBER = "551d14";

/** P-384 signs by SHA-384. */
const hashOf = (key: KeyObject): string =>
  key.asymmetricKeyDetails?.namedCurve === "secp384r1" ? "sha384" : "sha256";

/** Verifies a list by the key of its issuer, and reads it. */
export function readRevocationList(der: Buffer, issuer: KeyObject): RevocationList {
  const [outer, ...behind] = valuesOf(der);
  demand(outer !== undefined && behind.length === 0, AUTH_FAILED, "not one value");
  const [tbs, , signature] = valuesOf(outer.content);
  demand(tbs !== undefined && signature !== undefined, AUTH_FAILED, "no list");
  const isIssuers = verify(
    hashOf(issuer),
    tbs.whole,
    { key: issuer, dsaEncoding: "der" },
    signature.content.subarray(1),
  );
  demand(isIssuers, AUTH_FAILED, "not signed by its issuer");
  const [, , , thisUpdate, nextUpdate, ...rest] = valuesOf(tbs.content);
  demand(thisUpdate !== undefined && nextUpdate !== undefined, AUTH_FAILED, "no times");
  const revoked = rest.find(({ tag }) => tag === 0x30);
  const extensions = rest.find(({ tag }) => tag === 0xa0);
  return {
    thisUpdateMs: timeOf(thisUpdate),
    nextUpdateMs: timeOf(nextUpdate),
    serialNumbers: valuesOf(revoked?.content ?? Buffer.alloc(0)).map(serialNumberOf),
    number: numberOf(extensions?.content ?? Buffer.alloc(0)),
  };
}

const serialNumberOf = ({ content }: Value): string => valuesOf(content)[0]?.content.toString("hex") ?? "";

function numberOf(extensions: Buffer): bigint {
  const [list] = valuesOf(extensions);
  const found = valuesOf(list?.content ?? Buffer.alloc(0))
    .map(({ content }) => valuesOf(content))
    .find(([id]) => id?.content.toString("hex") === CRL_NUMBER);
  const value = found?.at(-1)?.content ?? Buffer.alloc(0);
  return BigInt(`0x${valuesOf(value)[0]?.content.toString("hex") ?? "0"}`);
}
