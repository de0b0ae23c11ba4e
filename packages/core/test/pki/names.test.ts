import {
  enrolmentUrn,
  isMachineName,
  isName,
  isUserName,
  parseParticipantUrn,
  participantUrn,
  subjectOf,
} from "@photinus/core/pki";
import { describe, expect, test } from "vitest";

describe("names", () => {
  test.each(["a", "0", "clinic-a", "a.b_c-d", "x".repeat(63)])("%s is one", (text) => {
    expect(isName(text)).toBe(true);
  });

  test.each(["", "A", "-a", ".a", "a b", "a/b", "a\n", "ä", "x".repeat(64), "a:b", "a%20"])(
    "%j is none",
    (text) => {
      expect(isName(text)).toBe(false);
    },
  );

  test.each(["server", "all", "enrol"])(
    "%s is an address of the protocol, so no machine is called so",
    (text) => {
      expect(isName(text)).toBe(true);
      expect(isMachineName(text)).toBe(false);
    },
  );

  test.each(["ada@example.org", "a.b+c_d%e@x.y.z", "a@localhost"])("%s is a user", (text) => {
    expect(isUserName(text)).toBe(true);
  });

  test.each([
    "ada",
    "Ada@example.org",
    "@example.org",
    "a@",
    "a@b@c",
    "a@-b",
    "a@b..c",
    `${"x".repeat(64)}a@b`,
    "a b@c",
  ])("%s is no user", (text) => {
    expect(isUserName(text)).toBe(false);
  });
});

describe("the URN of a participant", () => {
  test.each([
    ["mnist", "server", "hub", "urn:photinus:mnist:server:hub"],
    ["mnist", "site", "clinic-a", "urn:photinus:mnist:site:clinic-a"],
    ["mnist", "lead", "ada+ml@example.org", "urn:photinus:mnist:lead:ada%2Bml%40example.org"],
  ])("of %s, %s, %s is read back as written", (project, role, name, urn) => {
    const subject = subjectOf(project, role, name);
    if (subject === undefined) throw new Error("no subject");

    expect(participantUrn(subject)).toBe(urn);
    expect(parseParticipantUrn(urn)).toEqual(subject);
  });

  test.each([
    "",
    "urn:photinus:mnist:site",
    "urn:photinus:mnist:site:a:b",
    "URN:photinus:mnist:site:a",
    "urn:photinus:Mnist:site:a",
    "urn:photinus:mnist:client:a",
    "urn:photinus:mnist:site:%61",
    "urn:photinus:mnist:site:a%",
    "urn:photinus:mnist:site:server",
    "urn:photinus:mnist:site:ada%40example.org",
    "urn:photinus:mnist:lead:ada@example.org",
    "urn:photinus:mnist:lead:ada%40Example.org",
    "urn:photinus:mnist:lead:hub",
    enrolmentUrn("mnist"),
    `urn:photinus:mnist:site:${"a".repeat(600)}`,
  ])("%s names nobody", (urn) => {
    expect(parseParticipantUrn(urn)).toBeUndefined();
  });
});
