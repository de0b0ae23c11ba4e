import { beforeEach, describe, expect, test } from "vitest";
import { type AuditLog, auditLog } from "../../src/audit/index.ts";
import { type AuditRecord, silentLogger, webCrypto } from "../../src/platform/index.ts";
import { MAX_HUNG_CALLS, type Plugin, PluginHost, requirePlugin } from "../../src/plugin/index.ts";
import { memoryAudit, type VirtualClock, virtualClock } from "../../src/testing/index.ts";

const FACTS = {
  actor: { name: "lead@example.org", role: "lead", org: "central" },
  command: "abort",
  object: "ab".repeat(16),
} as const;

const allow = () => ({ allowed: true }) as const;
const store = memoryAudit(webCrypto());
let clock: VirtualClock;
let audit: AuditLog;

beforeEach(() => {
  clock = virtualClock();
  audit = auditLog(store, clock);
});

function host(...plugins: readonly Plugin[]): PluginHost {
  return new PluginHost(plugins, { clock, logger: silentLogger, audit });
}

/** A plug-in that is asked about commands, whatever it answers. */
function asked(command: (...given: readonly unknown[]) => unknown, name = "approval"): Plugin {
  const plugin: unknown = { name, veto: { command } };
  requirePlugin(plugin);
  return plugin;
}

async function lastRecord(): Promise<AuditRecord | undefined> {
  let last: AuditRecord | undefined;
  for await (const record of store.read()) last = record;
  return last;
}

test("what all plug-ins allow happens, and they are asked in their order", async () => {
  const order: string[] = [];
  const each = (name: string): Plugin =>
    asked(() => {
      order.push(name);
      return allow();
    }, name);

  await host(each("first"), { name: "idle" }, each("second")).require("command", FACTS);

  expect(order).toEqual(["first", "second"]);
});

test.each([
  ["says no", () => ({ allowed: false, reason: "not on Sundays" }), "refused", "not on Sundays"],
  ["says no without a reason", () => ({ allowed: false }), "refused", "no reason given"],
  [
    "throws",
    () => {
      throw new Error("password=hunter2");
    },
    "failed",
    "it failed to decide",
  ],
  ["rejects", () => Promise.reject(new Error("password=hunter2")), "failed", "it failed to decide"],
  ["says nothing", () => undefined, "unknown-answer", "its answer is none that is known"],
  ["answers true", () => true, "unknown-answer", "its answer is none that is known"],
  [
    "answers a text for yes",
    () => ({ allowed: "true" }),
    "unknown-answer",
    "its answer is none that is known",
  ],
  [
    "answers by a getter that throws",
    () => ({
      get allowed() {
        throw new Error("hunter2");
      },
    }),
    "failed",
    "it failed to decide",
  ],
])("a plug-in that %s refuses, and the next one is not asked", async (_, answer, ground, why) => {
  let isAsked = false;
  const next = asked(() => {
    isAsked = true;
    return allow();
  }, "next");

  const outcome = host(asked(answer), next).require("command", FACTS, { correlation: "job-1" });

  await expect(outcome).rejects.toMatchObject({
    code: "ERR_PLUGIN_REFUSED",
    message: `plug-in approval: ${why}`,
  });
  expect(isAsked).toBe(false);
  expect((await lastRecord())?.event).toMatchObject({
    ...{ action: "plugin", object: "approval", outcome: "refused", reason: "ERR_PLUGIN_REFUSED" },
    ...{ correlation: "job-1", details: { hook: "command", ground, why } },
  });
});

test("a plug-in that hangs refuses when its time is up, and its signal is aborted", async () => {
  let signal: AbortSignal | undefined;
  const plugin: Plugin = {
    name: "slow",
    timeLimitMs: 1500,
    veto: {
      command: (_, over) => {
        signal = over;
        return new Promise(() => undefined);
      },
    },
  };
  const outcome = host(plugin).require("command", FACTS);
  outcome.catch(() => undefined); // looked at below
  await clock.advance(1499);
  expect(signal?.aborted).toBe(false);

  await clock.advance(1);

  await expect(outcome).rejects.toThrow("plug-in slow: it did not answer within 1500 ms");
  expect(signal?.aborted).toBe(true);
});

test("a plug-in of which sixteen calls hang is asked no more until they come back", async () => {
  const back: (() => void)[] = [];
  let isQuick = false;
  const plugins = host(
    asked(() => (isQuick ? allow() : new Promise((resolve) => back.push(() => resolve(allow()))))),
  );
  for (let call = 0; call < MAX_HUNG_CALLS; call++) {
    const outcome = plugins.require("command", FACTS);
    outcome.catch(() => undefined); // refused by time
    await clock.advance(5000);
  }
  isQuick = true;

  await expect(plugins.require("command", FACTS)).rejects.toThrow("16 earlier calls have not come back");
  for (const resolve of back) resolve();
  await clock.settle();
  await plugins.require("command", FACTS);
});

test("a wait ends with what it was for", async () => {
  const stop = new AbortController();
  const plugins = host(asked(() => new Promise(() => undefined)));
  const outcome = plugins.require("command", FACTS, { signal: stop.signal });

  stop.abort(new RangeError("the job has ended"));

  await expect(outcome).rejects.toThrow("the job has ended");
});

test("each handler gets a frozen copy: none changes what another sees, or what the host works with", async () => {
  const seen: unknown[] = [];
  const change = asked((facts: unknown) => {
    seen.push(facts);
    return Reflect.set(Object(facts), "command", "view") ? undefined : allow();
  }, "change");

  await host(
    change,
    asked((facts: unknown) => {
      seen.push(facts);
      return allow();
    }, "look"),
  ).require("command", FACTS);

  expect(seen).toEqual([FACTS, FACTS]);
  expect(seen[0]).not.toBe(seen[1]);
  expect(seen.every((facts) => Object.isFrozen(facts) && Object.isFrozen(Object(facts).actor))).toBe(true);
});

test("facts that hold bytes reach no plug-in: it refuses", async () => {
  let isAsked = false;
  const plugins = host(
    asked(() => {
      isAsked = true;
      return allow();
    }),
  );
  const actor = { ...FACTS.actor, key: new Uint8Array(32) };

  await expect(plugins.require("command", { ...FACTS, actor })).rejects.toMatchObject({
    code: "ERR_PLUGIN_REFUSED",
  });
  expect(isAsked).toBe(false);
});

test("handlers of events harm nobody: they throw, reject or hang, and the others are told", async () => {
  const told: string[] = [];
  const tell = (name: string, handler: () => unknown): Plugin => ({
    name,
    on: {
      started: () => {
        told.push(name);
        return handler();
      },
    },
  });

  host(
    tell("throws", () => {
      throw new Error("no");
    }),
    tell("rejects", () => Promise.reject(new Error("no"))),
    tell("hangs", () => new Promise(() => undefined)),
    tell("works", () => undefined),
  ).emit("started", {});
  await clock.settle();

  expect(told).toEqual(["throws", "rejects", "hangs", "works"]);
});

test("plug-ins are told what one of them refused", async () => {
  const refusals: unknown[] = [];
  const watch: Plugin = { name: "watch", on: { refused: (facts) => refusals.push(facts) } };

  await host(
    watch,
    asked(() => ({ allowed: false, reason: "no" })),
  )
    .require("command", FACTS)
    .catch(() => undefined);

  expect(refusals).toEqual([{ plugin: "approval", hook: "command", reason: "no" }]);
});

test("refusals without end fill no disk, and stay refusals", async () => {
  const before = (await lastRecord())?.sequence ?? 0;
  const plugins = host(asked(() => ({ allowed: false, reason: "no" })));
  let refusals = 0;

  for (let call = 0; call < 300; call++) {
    await plugins.require("command", FACTS).catch(() => (refusals += 1));
  }

  expect(refusals).toBe(300);
  expect(((await lastRecord())?.sequence ?? 0) - before).toBe(256);
});

describe("no plug-in is", () => {
  test.each([
    ["a value without a name", {}, "name"],
    ["one that is called by capitals", { name: "Approval" }, "name"],
    ["a handler of nothing that happens", { name: "a", on: { jobBegun: () => undefined } }, "jobBegun"],
    ["a veto of nothing that is asked", { name: "a", veto: { job: allow } }, "job"],
    ["a veto that is no function", { name: "a", veto: { command: true } }, "a function"],
    ["one that takes forever", { name: "a", timeLimitMs: 3_600_000 }, "timeLimitMs"],
  ])("%s", (_, value, words) => {
    expect(() => requirePlugin(value)).toThrow(words);
  });

  test("a second one of the same name", () => {
    expect(() => host({ name: "a" }, { name: "a" })).toThrow("two plug-ins are called a");
  });
});
