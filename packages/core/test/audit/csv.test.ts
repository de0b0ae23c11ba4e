import { auditLog, auditToCsv } from "@photinus/core/audit";
import { webCrypto } from "@photinus/core/platform";
import { memoryAudit, virtualClock } from "@photinus/core/testing";
import { expect, test } from "vitest";

test("no cell is a formula, and none breaks its line", async () => {
  const store = memoryAudit(webCrypto());
  const audit = auditLog(store, virtualClock({ startMs: 1_767_225_600_000 }));
  await audit.record({
    action: "login",
    outcome: "refused",
    object: "=HYPERLINK(1)",
    actor: "+1",
    reason: '@a"b',
  });
  await audit.record({
    action: "job",
    outcome: "done",
    object: "a\nb,c",
    actor: "-x",
    details: { "=k": "\tv" },
  });

  let text = "";
  for await (const part of auditToCsv(store.read())) text += part;

  const lines = text.split("\r\n");
  expect(lines[0]).toBe("sequence,time,actor,action,object,outcome,reason,correlation,details,hash");
  expect(lines[1]).toMatch(
    /^1,2026-01-01T00:00:00\.000Z,'\+1,login,'=HYPERLINK\(1\),refused,"'@a""b",,\{\},[0-9a-f]{64}$/,
  );
  expect(lines[2]).toMatch(/^2,.*,'-x,job,"a\nb,c",done,,,"\{""=k"":""\\tv""\}",[0-9a-f]{64}$/);
  expect(lines).toHaveLength(4);
});
