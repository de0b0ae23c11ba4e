import { auditLog } from "@photinus/core/audit";
import { AuthenticationError } from "@photinus/core/errors";
import { silentLogger } from "@photinus/core/platform";
import { memoryAudit, virtualClock } from "@photinus/core/testing";
import { nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { RefusalRecords } from "../../src/server/refusal-records.ts";
import { SignInGate } from "../../src/sign-in/sign-in-gate.ts";

function aGate() {
  const clock = virtualClock();
  const store = memoryAudit(nodeCrypto());
  const refusals = new RefusalRecords({ clock, logger: silentLogger, audit: auditLog(store, clock) });
  const gate = new SignInGate(refusals);
  let open = (): void => undefined;
  const opened = new Promise<string>((resolve) => {
    open = () => resolve("done");
  });
  return {
    gate,
    /** Sign-ins of an address that wait for the provider. */
    waiting: (address: string, count: number) =>
      Array.from({ length: count }, () => gate.pass(address, () => opened)),
    open,
    records: async () => {
      const codes: string[] = [];
      for await (const { event } of store.read()) codes.push(`${event.object} ${event.reason}`);
      return codes;
    },
  };
}

const BUSY = { code: "ERR_BUSY" };

test("one address cannot keep all others from signing in", async () => {
  const { gate, waiting, open } = aGate();
  const ofOne = waiting("2001:db8::1", 4);

  await expect(gate.pass("2001:db8::2", async () => "in")).rejects.toMatchObject(BUSY); // the same network
  expect(await gate.pass("192.0.2.1", async () => "in")).toBe("in");

  open();
  await Promise.all(ofOne);
  expect(await gate.pass("2001:db8::2", async () => "in")).toBe("in");
});

test("so many sign in at a time, whatever their addresses, and no more", async () => {
  const { gate, waiting, open } = aGate();
  const all = [1, 2, 3, 4].flatMap((host) => waiting(`192.0.2.${host}`, 4));

  await expect(gate.pass("192.0.2.5", async () => "in")).rejects.toMatchObject(BUSY);

  open();
  await Promise.all(all);
  expect(await gate.pass("192.0.2.5", async () => "in")).toBe("in");
});

test("what fails is recorded by its code and gives its place back", async () => {
  const { gate, records } = aGate();
  const refused = new AuthenticationError("ERR_SIGN_IN_REFUSED", "no");

  for (let count = 0; count < 6; count++) {
    await expect(gate.pass("192.0.2.1", () => Promise.reject(refused))).rejects.toBe(refused);
  }

  expect(await records()).toEqual(["192.0.2.1 ERR_SIGN_IN_REFUSED"]); // those after the first are counted
});
