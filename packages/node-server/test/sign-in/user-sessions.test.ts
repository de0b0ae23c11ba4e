import { virtualClock } from "@photinus/core/testing";
import { expect, test } from "vitest";
import { readCookie, setCookie } from "../../src/sign-in/cookies.ts";
import { userOfClaims } from "../../src/sign-in/user-of-claims.ts";
import { type SignedInUser, UserSessions } from "../../src/sign-in/user-sessions.ts";

const aUser = (subject: string): SignedInUser => ({
  name: `${subject}@example.org`,
  role: "lead",
  org: "a",
  subject,
});

function sessions() {
  const clock = virtualClock();
  return { clock, sessions: new UserSessions({ idleMs: 60_000, lifetimeMs: 300_000 }, { clock }) };
}

test("a session ends when nothing is done in it, and what a page asks by itself keeps nothing alive", async () => {
  const { clock, sessions: all } = sessions();
  const id = all.open(aUser("lee"));
  const { signal } = all.find(id, false)!;

  await clock.advance(59_000);
  expect(all.find(id, false)).toBeDefined();
  await clock.advance(1_000);

  // Without anybody's look: a stream that is being read ends as well.
  expect(signal.aborted).toBe(true);
  expect(all.find(id, false)).toBeUndefined();
});

test("use keeps a session alive, up to its life and no longer", async () => {
  const { clock, sessions: all } = sessions();
  const id = all.open(aUser("lee"));
  const { signal } = all.find(id, false)!;
  for (let minute = 0; minute < 9; minute += 1) {
    await clock.advance(30_000);
    expect(all.find(id, true)).toBeDefined();
  }
  await clock.advance(30_000);

  expect(all.find(id, true)).toBeUndefined();
  expect(signal.aborted).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

test("a closed session is gone, its streams too; an unknown id is no error", () => {
  const { clock, sessions: all } = sessions();
  const id = all.open(aUser("lee"));
  const { signal } = all.find(id, false)!;

  expect(all.close(id)).toMatchObject({ subject: "lee" });
  expect(all.close(id)).toBeUndefined();
  expect([signal.aborted, all.find(id, true), clock.pendingTimers]).toEqual([true, undefined, 0]);
});

test("a thousand sessions at most: the one that was used longest ago makes room", () => {
  const { sessions: all } = sessions();
  const ids = Array.from({ length: 1_000 }, (_, index) => all.open(aUser(`user-${index}`)));
  all.find(ids[0]!, true);
  all.open(aUser("one-more"));

  expect([all.find(ids[0]!, false), all.find(ids[1]!, false)].map((found) => found !== undefined)).toEqual([
    true,
    false,
  ]);
  all.stop();
  expect(all.find(ids[5]!, false)).toBeUndefined();
});

test("the first rule that fits says who somebody is; none, no name or an address that nobody verified is nobody", () => {
  const users = [
    { claims: { groups: ["admins"] }, role: "project_admin", org: "a" },
    { claims: { groups: ["leads"] }, role: "lead", org: "b" },
  ] as const;
  const who = (claims: Record<string, unknown>, nameClaim?: string) =>
    userOfClaims(
      { claims, subject: "1", expiresAtMs: 0 },
      { users, ...(nameClaim === undefined ? {} : { nameClaim }) },
    );
  const email = "Lee@Example.org";

  expect(who({ email, groups: ["leads", "admins"] })).toMatchObject({
    name: "lee@example.org",
    role: "project_admin",
  });
  expect(who({ email, groups: "leads" })).toMatchObject({ role: "lead", org: "b" });
  expect(who({ login: "lee", groups: ["leads"] }, "login")).toMatchObject({ name: "lee" });
  for (const claims of [
    { email, groups: ["visitors"] },
    { email },
    { groups: ["leads"] },
    { email: `a\u0007@example.org`, groups: ["leads"] },
    { email: "x".repeat(129), groups: ["leads"] },
    { email, groups: ["leads"], email_verified: false },
  ]) {
    expect(() => who(claims)).toThrow(expect.objectContaining({ code: "ERR_SIGN_IN_REFUSED" }));
  }
});

test("on https the cookies are bound to the host, and one that comes twice counts as none", () => {
  expect(setCookie({ name: "session", value: "abc" }, true)).toBe(
    "__Host-photinus-session=abc; Path=/; HttpOnly; SameSite=Strict; Secure",
  );
  expect(setCookie({ name: "sign-in", value: "abc", maxAgeS: 600 }, true)).toBe(
    "__Host-photinus-sign-in=abc; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=600",
  );
  expect(readCookie("a=b; __Host-photinus-session=abc", "session", true)).toBe("abc");
  // A page in clear could have set the one without the prefix.
  expect(readCookie("photinus-session=abc", "session", true)).toBeUndefined();
  expect(
    readCookie("__Host-photinus-session=abc; __Host-photinus-session=def", "session", true),
  ).toBeUndefined();
  expect(readCookie("__Host-photinus-session=a b", "session", true)).toBeUndefined();
  expect(readCookie(undefined, "session", true)).toBeUndefined();
});
