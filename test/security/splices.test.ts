import type { Bytes } from "@photinus/core/bytes";
import { writeMessage } from "@photinus/core/envelope";
import { on } from "@photinus/core/session";
import { sessionPair, type TestProject } from "@photinus/core/testing";
import { readFrame } from "@photinus/core/wire";
import { nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { note } from "../../packages/core/test/session/messages.ts";
import { aVictim, aVictimsProject, INNER_KINDS, type InnerKind, type Victim } from "./equipment/a-victim.ts";

const project = await aVictimsProject();
/** Another federation whose server and sites have the same names. */
const other = await aVictimsProject("other");

/** How a victim took a frame: its answer or its end, and whether anything changed. */
async function taking(victim: Victim, send: () => Promise<void> | void): Promise<string> {
  const before = await victim.state();
  await send();
  expect(await victim.state()).toBe(before);
  if (victim.server.signal.aborted) return `ends: ${(await victim.server.ended).code}`;
  const [reply] = await victim.replies();
  return reply === undefined ? "ignored" : `answers: ${reply.code}`;
}

/** A valid inner frame of a kind from a session of its own. */
async function fromElsewhere(elsewhere: TestProject, kind: InnerKind): Promise<Bytes> {
  return await (await aVictim(elsewhere)).valid(kind);
}

test.each(INNER_KINDS)(
  "a SESSION frame with %s means nothing in another session of the same site",
  async (kind) => {
    const first = await aVictim(project);
    const recorded = await first.seal(await first.valid(kind));
    const second = await aVictim(project);

    expect(await taking(second, () => second.sendOuter(recorded))).toBe("ends: ERR_SEQUENCE_GAP");
  },
);

test.each([
  ["MESSAGE", "answers: ERR_TOKEN_UNKNOWN"],
  ["SIGNED", "answers: ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["CHUNK", "ends: ERR_STREAM_REFUSED"],
  ["CREDIT", "ignored"],
] as const)("a %s frame of another session, sent on in this one, is worth nothing", async (kind, outcome) => {
  const spliced = await fromElsewhere(project, kind);
  const victim = await aVictim(project);

  expect(await taking(victim, () => victim.sendInner(spliced))).toBe(outcome);
});

test.each([
  ["MESSAGE", "answers: ERR_TOKEN_UNKNOWN"],
  ["SIGNED", "answers: ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["OBJECT", "answers: ERR_ENVELOPE_WRONG_RECIPIENT"],
  ["CHUNK", "ends: ERR_STREAM_REFUSED"],
] as const)(
  "a %s frame of another project is worth nothing, though all names are the same",
  async (kind, outcome) => {
    const spliced = await fromElsewhere(other, kind);
    const victim = await aVictim(project);

    expect(await taking(victim, () => victim.sendInner(spliced))).toBe(outcome);
  },
);

test("a stolen token is worth nothing without the session that it was issued for", async () => {
  const owner = await aVictim(project);
  const thief = await aVictim(project);
  const header = { type: note.type, messageId: new Uint8Array(16), inReplyTo: undefined, scope: undefined };
  const { payload } = readFrame(thief.message("stolen"));

  for (const stolen of [
    writeMessage({ ...header, tokenRef: owner.tokenRef }, payload),
    await thief.signed({ tokenRef: owner.tokenRef }),
  ]) {
    const before = await thief.state();
    await thief.sendInner(stolen);
    expect(await thief.state()).toBe(before);
  }

  expect((await thief.replies()).map(({ code }) => code)).toEqual(["ERR_TOKEN_UNKNOWN", "ERR_TOKEN_UNKNOWN"]);
});

test("a message that another site of the project signed is worth nothing in this one's session", async () => {
  const sites = [...project.sites.values()];
  const victim = await aVictim(project);
  const [, another] = sites;
  if (another === undefined) throw new RangeError("one site only");

  const forged = await victim.signed({ from: another.participant.name }, another.signingKey);

  expect(await taking(victim, () => victim.sendInner(forged))).toBe("answers: ERR_ENVELOPE_WRONG_RECIPIENT");
});

test.each(["client", "server"] as const)(
  "what the %s has sent is refused when it comes back to it",
  async (side) => {
    const pair = await sessionPair({ project, crypto: nodeCrypto(), transport: { record: true } });
    const heard: string[] = [];
    for (const session of [pair.client, pair.server]) {
      session.receive({ routes: [on(note, ({ text }) => void heard.push(text))] });
    }
    await pair[side].send(note, { text: "once" });
    await pair.clock.settle();
    const { connections } = pair;
    const sent = side === "client" ? connections.sentByClient : connections.sentByServer;
    const last = sent.at(-1) ?? new Uint8Array(0);

    if (side === "client") connections.injectToClient(last);
    else connections.injectToServer(last);
    await pair.clock.settle();

    expect(await pair[side].ended).toMatchObject({ code: "ERR_SEQUENCE_GAP", local: true });
    expect(heard).toEqual(["once"]);
  },
);
