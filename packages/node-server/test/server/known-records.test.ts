import { memoryMetadata } from "@photinus/core/testing";
import { nodeCrypto } from "@photinus/node-platform";
import { expect, test } from "vitest";
import { requireKnownRecords, requireSameStorageKey } from "../../src/server/known-records.ts";

test("a state folder whose names lie where an older version took them is refused, any other is not", async () => {
  const metadata = memoryMetadata();
  await metadata.create("enrolment/participants/ward-1", Uint8Array.of(1));
  await expect(requireKnownRecords(metadata)).resolves.toBeUndefined();

  await metadata.create("enrolment/names/ward-2", Uint8Array.of(1));

  await expect(requireKnownRecords(metadata)).rejects.toMatchObject({ code: "ERR_STORAGE_VERSION" });
});

test("a state folder goes on with the storage key of its first start, and with no other", async () => {
  const modules = { metadata: memoryMetadata(), crypto: nodeCrypto() };
  const key = new Uint8Array(32).fill(1);
  await Promise.all([requireSameStorageKey(key, modules), requireSameStorageKey(key, modules)]); // two gateways at once
  await expect(requireSameStorageKey(key, modules)).resolves.toBeUndefined();

  await expect(requireSameStorageKey(new Uint8Array(32).fill(2), modules)).rejects.toMatchObject({
    code: "ERR_STORAGE_KEY_OTHER",
  });
});
