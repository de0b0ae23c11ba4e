import { auditLog } from "@photinus/core/audit";
import { silentLogger } from "@photinus/core/platform";
import { memoryAudit, type VirtualClock, virtualClock } from "@photinus/core/testing";
import { nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { RefusalRecords } from "../../src/server/refusal-records.ts";

interface Setting {
  readonly clock: VirtualClock;
  readonly refusals: RefusalRecords;
  /** What is recorded so far: action, address, reason, details. */
  readonly records: () => Promise<readonly (readonly [string, string, string, object])[]>;
}

function aSetting(): Setting {
  const clock = virtualClock();
  const store = memoryAudit(nodeCrypto());
  const refusals = new RefusalRecords({ audit: auditLog(store, clock), clock, logger: silentLogger });
  const records = async () => {
    const found: [string, string, string, object][] = [];
    for await (const { event } of store.read()) {
      found.push([event.action, event.object, event.reason, event.details]);
    }
    return found;
  };
  return { clock, refusals, records };
}

const login = (address: string, code = "ERR_AUTH_FAILED") => ({ action: "login", address, code }) as const;

test("one refusal is recorded at once, and nothing more follows", async () => {
  const { clock, refusals, records } = aSetting();

  await refusals.note(login("192.0.2.1"));
  expect(await records()).toEqual([["login", "192.0.2.1", "ERR_AUTH_FAILED", {}]]);

  await clock.advance(600_000);
  expect(await records()).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});

test("a flood from one address costs one record a minute, with the count of each code", async () => {
  const { clock, refusals, records } = aSetting();

  for (let minute = 0; minute < 3; minute++) {
    for (let count = 0; count < 1000; count++) await refusals.note(login("192.0.2.1"));
    await refusals.note(login("192.0.2.1", "ERR_TOO_LARGE"));
    await clock.advance(60_000);
  }

  const full = { count: 1001, ERR_AUTH_FAILED: 1000, ERR_TOO_LARGE: 1 };
  expect(await records()).toEqual([
    ["login", "192.0.2.1", "ERR_AUTH_FAILED", {}],
    ["login", "192.0.2.1", "ERR_AUTH_FAILED", { ...full, count: 1000, ERR_AUTH_FAILED: 999 }],
    ["login", "192.0.2.1", "ERR_AUTH_FAILED", full],
    ["login", "192.0.2.1", "ERR_AUTH_FAILED", full],
  ]);
});

test("a refusal is recorded at once again after a quiet minute", async () => {
  const { clock, refusals, records } = aSetting();
  await refusals.note(login("192.0.2.1"));
  await clock.advance(60_000);

  await refusals.note(login("192.0.2.1"));

  expect(await records()).toHaveLength(2);
});

test("an IPv6 network counts as one address, IPv4 addresses and actions by themselves", async () => {
  const { refusals, records } = aSetting();

  for (const address of ["2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"]) {
    await refusals.note(login(address));
  }
  await refusals.note({ action: "enrol", code: "ERR_INVITE_REFUSED" });
  await refusals.note({ action: "enrol", code: "ERR_INVITE_REFUSED" });

  expect((await records()).map(([action, source]) => `${action} ${source}`.trim())).toEqual([
    "login 2001:db8:0:0::/64",
    "login 192.0.2.1",
    "login 192.0.2.2",
    "enrol",
  ]);
});

test("ten thousand addresses cost no more records than a few hundred, and no refusal is lost", async () => {
  const { clock, refusals, records } = aSetting();

  for (let index = 0; index < 10_000; index++) {
    await refusals.note(login(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`));
  }
  await clock.advance(60_000);

  const found = await records();
  expect(found.length).toBeLessThanOrEqual(258);
  const others = found.filter(([, source]) => source === "other addresses");
  expect(others.map(([, , , details]) => details)).toEqual([
    {},
    { count: 10_000 - 257, ERR_AUTH_FAILED: 10_000 - 257 },
  ]);
});

test("what was counted is recorded when the server stops, and no timer is left", async () => {
  const { clock, refusals, records } = aSetting();
  for (let count = 0; count < 5; count++) await refusals.note(login("192.0.2.1"));

  await refusals.stop();
  await refusals.stop();
  await refusals.note(login("192.0.2.1"));

  expect((await records()).map(([, , , details]) => details)).toEqual([
    {},
    { count: 4, ERR_AUTH_FAILED: 4 },
    {},
  ]);
  expect(clock.pendingTimers).toBe(0);
});

test("more codes than a record may name are counted together", async () => {
  const { clock, refusals, records } = aSetting();

  for (let code = 0; code < 100; code++) await refusals.note(login("192.0.2.1", `ERR_${code}`));
  await clock.advance(60_000);

  const [, , , details] = (await records())[1] ?? [];
  expect(Object.keys(details ?? {}).length).toBeLessThanOrEqual(18);
  expect(details).toMatchObject({ count: 99, other: 83 });
});

test("a store that fails is logged, and the next refusal is recorded", async () => {
  const clock = virtualClock();
  const store = memoryAudit(nodeCrypto());
  const errors: string[] = [];
  let isBroken = true;
  const refusals = new RefusalRecords({
    audit: auditLog(
      {
        ...store,
        append: (event) => (isBroken ? Promise.reject(new Error("disk full")) : store.append(event)),
      },
      clock,
    ),
    clock,
    logger: { ...silentLogger, error: (message) => void errors.push(message) },
  });

  await refusals.note(login("192.0.2.1"));
  isBroken = false;
  await refusals.note(login("192.0.2.2"));

  expect(errors).toEqual(["a refusal could not be recorded"]);
  expect((await store.head())?.event.object).toBe("192.0.2.2");
});
