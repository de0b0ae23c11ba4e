import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { decodeBody, encodeBody } from "./decomposers.ts";
import { openCheckpoint, openObject, runningHash, type Way } from "./envelope.ts";
import { readFrame } from "./frame.ts";
import { codeOf, enrolledSite, people, site } from "./people.ts";
import { agreementKey, publicBytes } from "./primitives.ts";
import { readRevocationList } from "./revocation-list.ts";
import { openSealed, type SealedManifest } from "./sealed.ts";
import { hex, required, vectors } from "./vectors.ts";

interface ManifestHex {
  readonly stream: {
    readonly streamId: string;
    readonly chunkBytes: number;
    readonly totalBytes: number;
    readonly leaves: string;
    readonly root: string;
  };
  readonly statement: string;
  readonly keys: readonly {
    readonly to: string;
    readonly packageId: string;
    readonly encapsulated: string;
    readonly wrapped: string;
  }[];
}

const manifestOf = ({ stream, statement, keys }: ManifestHex): SealedManifest => ({
  stream: { ...stream, streamId: hex(stream.streamId), leaves: hex(stream.leaves), root: hex(stream.root) },
  statement: hex(statement),
  keys: keys.map(({ to, packageId, encapsulated, wrapped }) => ({
    to,
    packageId: hex(packageId),
    encapsulated: hex(encapsulated),
    wrapped: hex(wrapped),
  })),
});

describe("content from participant to participant", () => {
  const sealed = vectors<{
    readonly project: string;
    readonly nowMs: number;
    readonly job: string;
    readonly round: number;
    readonly from: string;
    readonly keyPackage: string;
    readonly privateKey: string;
    readonly manifest: ManifestHex;
    readonly ciphertext: string;
    readonly plaintext: string;
    readonly refused: readonly {
      readonly name: string;
      readonly round: number;
      readonly from: string;
      readonly manifest: ManifestHex;
      readonly code: number;
    }[];
  }>("sealed");
  const key = agreementKey(hex(sealed.privateKey));

  /** Id of the key package, which is verified like any object that is counted. */
  function packageId(): string {
    const frame = readFrame(hex(sealed.keyPackage));
    const { map } = decodeBody(frame.payload);
    expect(map).toEqual([
      ["kem", { int: "32" }],
      ["publicKey", { bytes: publicBytes(key).toString("hex") }],
    ]);
    const at = { project: sealed.project, self: "site-1", nowMs: sealed.nowMs };
    const rule = { objectType: 3, role: "site", maximumLifetimeMs: 604_800_000, counted: true };
    return openObject(frame, at, { signers: [enrolledSite], rule }).objectId.toString("hex");
  }

  const read = (
    manifest: ManifestHex,
    { round, from }: { readonly round: number; readonly from: string },
  ): string =>
    openSealed(manifestOf(manifest), [hex(sealed.ciphertext)], {
      project: sealed.project,
      job: hex(sealed.job),
      round,
      from,
      self: "guest-1",
      packages: new Map([[packageId(), key]]),
      signers: [site, enrolledSite],
    }).toString("hex");

  test("opens with the key of the package", () => {
    expect(read(sealed.manifest, sealed)).toBe(sealed.plaintext);
  });

  test.for(sealed.refused)("$name it is refused by $code", ({ manifest, code, ...as }) => {
    expect(codeOf(() => read(manifest, as))).toBe(code);
  });
});

describe("CHECKPOINT", () => {
  const checkpoints = vectors<{
    readonly sid: string;
    readonly messages: readonly string[];
    readonly hash: string;
    readonly checkpoint: string;
    readonly refused: readonly {
      readonly name: string;
      readonly checkpoint: string;
      readonly code: number;
    }[];
  }>("checkpoints");
  const messages = checkpoints.messages.map(hex);
  const hash = runningHash(hex(checkpoints.sid), messages);
  const way: Omit<Way, "nowMs"> = {
    sid: hex(checkpoints.sid),
    project: people.project,
    from: "site-1",
    to: "hub",
    direction: 0,
  };
  const open = (frame: string): void =>
    openCheckpoint(readFrame(hex(frame)), way, { count: messages.length, hash, author: site });

  test("is over the messages that were sent", () => {
    expect(hash.toString("hex")).toBe(checkpoints.hash);
    expect(codeOf(() => open(checkpoints.checkpoint))).toBeUndefined();
  });

  test.for(checkpoints.refused)("$name it is refused by $code", ({ checkpoint, code }) => {
    expect(codeOf(() => open(checkpoint))).toBe(code);
  });
});

describe("revocation lists", () => {
  interface ListVector {
    readonly number: number;
    readonly thisUpdateMs: number;
    readonly nextUpdateMs: number;
    readonly revokedSerialNumbers: readonly string[];
    readonly list: string;
  }
  const lists = vectors<{ readonly root: ListVector; readonly enrolment: ListVector }>("revocation");
  const keyOf = (der: string) => new X509Certificate(hex(der)).publicKey;

  test("are signed by their issuers, and name whom they revoke", () => {
    for (const [vector, issuer] of [
      [lists.root, people.root],
      [lists.enrolment, people.enrolmentCa],
    ] as const) {
      expect(readRevocationList(hex(vector.list), keyOf(issuer))).toEqual({
        number: BigInt(vector.number),
        thisUpdateMs: vector.thisUpdateMs,
        nextUpdateMs: vector.nextUpdateMs,
        serialNumbers: vector.revokedSerialNumbers,
      });
    }
    const leaf = new X509Certificate(hex(required(people.enrolledSite.chain[0])));
    expect(lists.enrolment.revokedSerialNumbers).toEqual([leaf.serialNumber.toLowerCase()]);
  });

  test("of another issuer are refused", () => {
    expect(codeOf(() => readRevocationList(hex(lists.root.list), keyOf(people.enrolmentCa)))).toBe(4003);
  });
});

describe("messages of jobs", () => {
  const { messages } = vectors<{
    readonly messages: readonly { readonly type: number; readonly name: string; readonly bytes: string }[];
  }>("messages");

  test.for(messages)("$type $name has one encoding", ({ bytes }) => {
    expect(encodeBody(decodeBody(hex(bytes))).toString("hex")).toBe(bytes);
  });
});
