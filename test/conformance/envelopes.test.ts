import { describe, expect, test } from "vitest";
import { openObject, openSigned, readMessage, type Sides, type Token, verifyToken } from "./envelope.ts";
import { readFrame } from "./frame.ts";
import { codeOf, JOB, people, server, site, user } from "./people.ts";
import { hex, vectors } from "./vectors.ts";

interface TokenVectors {
  readonly sid: string;
  readonly nowMs: number;
  readonly token: string;
  readonly tokenRef: string;
  readonly refused: readonly {
    readonly name: string;
    readonly token: string;
    readonly sid: string;
    readonly holder: string;
    readonly nowMs: number;
    readonly code: number;
  }[];
}
const tokens = vectors<TokenVectors>("tokens");
const sidesOf = ({ sid, nowMs }: { readonly sid: string; readonly nowMs: number }): Sides => ({
  sid: hex(sid),
  project: people.project,
  nowMs,
});
const ofVectors = (): Token => verifyToken(hex(tokens.token), site, server, sidesOf(tokens));

describe("tokens", () => {
  test("the token verifies", () => {
    expect(ofVectors().ref.toString("hex")).toBe(tokens.tokenRef);
  });

  test.for(tokens.refused)("$name it is refused by $code", ({ token, holder, code, ...at }) => {
    const of = holder === site.name ? site : user;

    expect(codeOf(() => verifyToken(hex(token), of, server, sidesOf(at)))).toBe(code);
  });
});

describe("SIGNED", () => {
  const signed = vectors<{
    readonly sid: string;
    readonly nowMs: number;
    readonly frame: string;
    readonly message: string;
    readonly refused: readonly { readonly name: string; readonly frame: string; readonly code: number }[];
  }>("signed");
  const open = (frame: string) =>
    openSigned(readFrame(hex(frame)), { ...sidesOf(signed), from: "site-1", to: "hub", direction: 0 }, site, [
      ofVectors(),
    ]);

  test("the frame opens, and MESSAGE is read", () => {
    expect(open(signed.frame)).toMatchObject({ type: 28, scope: "job/1" });
    expect(readMessage(readFrame(hex(signed.message)))).toMatchObject({ type: 27, scope: "job/1" });
  });

  test.for(signed.refused)("a frame $name is refused by $code", ({ frame, code }) => {
    expect(codeOf(() => open(frame))).toBe(code);
  });
});

describe("OBJECT", () => {
  const objects = vectors<{
    readonly nowMs: number;
    readonly object: string;
    readonly refused: readonly {
      readonly name: string;
      readonly object: string;
      readonly nowMs: number;
      readonly code: number;
    }[];
  }>("objects");
  const open = (object: string, nowMs: number) =>
    openObject(
      readFrame(hex(object)),
      { project: people.project, self: "site-1", nowMs },
      { signers: [user, server], rule: JOB },
    );

  test("the object opens", () => {
    expect(open(objects.object, objects.nowMs).signer.name).toBe("lead@example.org");
  });

  test.for(objects.refused)("an object $name is refused by $code", ({ object, nowMs, code }) => {
    expect(codeOf(() => open(object, nowMs))).toBe(code);
  });
});
