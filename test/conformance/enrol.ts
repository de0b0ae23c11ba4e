import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import { verifyChain } from "./certificate.ts";
import { decodeBody } from "./decomposers.ts";
import { der } from "./der.ts";
import { readError, readMessage } from "./envelope.ts";
import { readFields } from "./fields.ts";
import { greet, Line } from "./greeting.ts";
import type { Kit } from "./kit.ts";
import { sha256 } from "./primitives.ts";
import { Records } from "./record.ts";
import { demand, Refused } from "./refused.ts";

/** What the fragment of a join link says. */
interface JoinLink {
  readonly project: string;
  readonly serverName: string;
  readonly rootDigest: Buffer;
  readonly code: Buffer;
}

function readLink(fragment: string): JoinLink {
  const bytes = Buffer.from(fragment, "base64url");
  demand(bytes[0] === 1, 4003, "a link of another version");
  const projectEnd = 2 + (bytes[1] ?? 0);
  const serverEnd = projectEnd + 1 + (bytes[projectEnd] ?? 0);
  const rest = bytes.subarray(serverEnd);
  demand(rest.length === 48, 4003, "a link that is not whole");
  return {
    project: bytes.subarray(2, projectEnd).toString(),
    serverName: bytes.subarray(projectEnd + 1, serverEnd).toString(),
    rootDigest: rest.subarray(0, 32),
    code: rest.subarray(32),
  };
}

/** A request for a certificate (PKCS#10, RFC 2986) of a P-256 key. */
function requestOf(
  name: string,
  { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject },
): Buffer {
  const commonName = Buffer.from("0603550403", "hex");
  const ecdsaWithSha256 = Buffer.from("06082a8648ce3d040302", "hex");
  const subject = der(0x30, der(0x31, der(0x30, commonName, der(0x0c, Buffer.from(name)))));
  const spki = publicKey.export({ format: "der", type: "spki" });
  const information = der(0x30, Buffer.of(2, 1, 0), subject, spki, der(0xa0));
  const signature = sign("sha256", information, privateKey);
  return der(0x30, information, der(0x30, ecdsaWithSha256), der(0x03, Buffer.of(0), signature));
}

/** Takes the code of a join link for a certificate: what a page has in place of a kit. */
export async function enrol(url: string, fragment: string): Promise<Kit> {
  const { project, serverName, rootDigest, code } = readLink(fragment);
  const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const line = await Line.open(url);
  const { root, keys: records } = await greet(line, {
    project,
    serverName,
    isRoot: (candidate) => sha256(candidate).equals(rootDigest),
    chain: [],
    enrolment: { request: requestOf("guest", keys), code },
    key: keys.privateKey,
  });
  const incoming = new Records(records[1]);
  const welcome = incoming.open(await line.next()).frame;
  if (welcome.kind === 10) throw new Refused(readError(welcome).code, "refused");
  demand(scopeOf(welcome.payload) === "enrol", 4003, "another scope");
  const enrolled = incoming.open(await line.next()).frame;
  demand(enrolled.kind === 13 && readMessage(enrolled).type === 4, 4000, "no certificate"); // [W-67]
  line.cut();
  const chain = chainOf(enrolled.payload);
  verifyChain(chain, { project, root, nowMs: Date.now() });
  const certified = new X509Certificate(chain[0] ?? Buffer.alloc(0)).publicKey;
  demand(certified.equals(keys.publicKey), 4003, "a certificate for another key"); // [W-68]
  return { project, serverName, root, chain, key: keys.privateKey };
}

function scopeOf(welcome: Buffer): string {
  return readFields(welcome, (at) => {
    at.nullable((token) => token.bytes());
    at.nullable((token) => token.bytes());
    at.list((list) => [list.inner()]);
    at.integer();
    at.list((limits) => limits.integer());
    at.integer();
    at.nullable((resumed) => resumed.integer());
    return at.text();
  });
}

function chainOf(payload: Buffer): readonly Buffer[] {
  const { map } = decodeBody(payload) as {
    map: readonly (readonly [string, { array: readonly { bytes: string }[] }])[];
  };
  const [entry] = map;
  demand(entry !== undefined && entry[0] === "chain", 4019, "no chain");
  return entry[1].array.map(({ bytes }) => Buffer.from(bytes, "hex"));
}
