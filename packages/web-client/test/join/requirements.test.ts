import { expect, test } from "vitest";
import { findObstacle } from "../../src/join/requirements.ts";

test("names https and localhost as the remedy where the browser gives no cryptography", async () => {
  const obstacle = await findObstacle({
    isSecureContext: false,
    origin: "http://10.0.0.7:8080",
    subtle: undefined,
  });

  expect(obstacle?.detail).toContain("http://10.0.0.7:8080");
  expect(obstacle?.remedy).toMatch(/https.*localhost.*--lan/);
});

test("names the browsers that have X25519 where it is missing", async () => {
  const subtle = {
    generateKey: () => Promise.reject(new Error("NotSupportedError")),
  } as unknown as SubtleCrypto;

  const obstacle = await findObstacle({ isSecureContext: true, origin: "https://fl.example", subtle });

  expect(obstacle?.remedy).toContain("Chromium 133");
});

test("finds nothing in the way of a secure page of a current browser", async () => {
  const facts = { isSecureContext: true, origin: "http://localhost:8080", subtle: crypto.subtle };

  expect(await findObstacle(facts)).toBeUndefined();
});
