import { memoryMetadata } from "@photinus/core/testing";
import { expect, test } from "vitest";
import { requireKnownRecords } from "../../src/server/known-records.ts";

test("a state folder whose names lie where an older version took them is refused, any other is not", async () => {
  const metadata = memoryMetadata();
  await metadata.create("enrolment/participants/ward-1", Uint8Array.of(1));
  await expect(requireKnownRecords(metadata)).resolves.toBeUndefined();

  await metadata.create("enrolment/names/ward-2", Uint8Array.of(1));

  await expect(requireKnownRecords(metadata)).rejects.toMatchObject({ code: "ERR_STORAGE_VERSION" });
});
