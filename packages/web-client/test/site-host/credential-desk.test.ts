import { fromUtf8 } from "@photinus/core/bytes";
import { virtualClock } from "@photinus/core/testing";
import { expect, test } from "vitest";
import { CredentialDesk } from "../../src/site-host/credential-desk.ts";
import type { SiteNews } from "../../src/site-port/index.ts";

const NONCE = "n".repeat(43);
const request = { project: "trial", challenge: new Uint8Array(32), nonce: NONCE };

function aDesk() {
  const clock = virtualClock();
  const news: SiteNews[] = [];
  const desk = new CredentialDesk({ clock, tell: (item) => news.push(item) });
  return { clock, news, desk, stop: new AbortController() };
}

test("asks the page, hands the token on, and asks no more", async () => {
  const { news, desk, stop } = aDesk();
  const credential = desk.credentialFor(request, stop.signal);
  expect(news).toEqual([{ kind: "sign-in", nonce: NONCE }]);

  desk.answer({ nonce: NONCE, token: "a.b.c" });

  expect(fromUtf8(await credential)).toBe("a.b.c");
  expect(news.at(-1)).toEqual({ kind: "sign-in", nonce: null });
  expect(() => desk.answer({ nonce: NONCE, token: "a.b.c" })).toThrow(
    expect.objectContaining({ code: "ERR_SIGN_IN_EXPIRED" }),
  );
});

test("takes no token that was made for another request", async () => {
  const { desk, stop } = aDesk();
  const credential = desk.credentialFor(request, stop.signal);

  expect(() => desk.answer({ nonce: "m".repeat(43), token: "a.b.c" })).toThrow(
    expect.objectContaining({ code: "ERR_SIGN_IN_EXPIRED" }),
  );

  stop.abort(new Error("left"));
  await expect(credential).rejects.toThrow("left");
});

test("is refused where pages can sign in nowhere", async () => {
  const { desk, stop } = aDesk();
  const credential = desk.credentialFor(request, stop.signal);

  desk.answer({ nonce: NONCE, token: null });

  await expect(credential).rejects.toMatchObject({ code: "ERR_CREDENTIAL_REQUIRED" });
});

test("is refused when nobody signed in while the challenge is good, and when the site stops", async () => {
  const { clock, news, desk, stop } = aDesk();
  const late = desk.credentialFor(request, stop.signal);
  late.catch(() => undefined); // looked at below
  await clock.advance(600_000);
  await expect(late).rejects.toMatchObject({ code: "ERR_CREDENTIAL_REFUSED" });
  expect(news.at(-1)).toEqual({ kind: "sign-in", nonce: null });

  stop.abort(new Error("stopped"));
  await expect(desk.credentialFor(request, stop.signal)).rejects.toThrow("stopped");
});
