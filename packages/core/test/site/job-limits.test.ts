import { expect, test } from "vitest";
import type { JobPayload } from "../../src/job/index.ts";
import { DEFAULT_LIMITS, declineReason } from "../../src/site/job-limits.ts";
import { aBundle } from "../coordinator/a-federation.ts";

const FACTS = { site: "site-1", limits: DEFAULT_LIMITS, dataNames: ["line"], waitingJobs: 0 };

function payloadWith(definition: Partial<JobPayload["definition"]>): JobPayload {
  const content = { digest: new Uint8Array(32), byteLength: 1 };
  const bundle = aBundle();
  return {
    definition: { ...bundle.definition, ...definition },
    parameters: bundle.parameters,
    graph: content,
    initialParameters: content,
  };
}

test("a site takes no part in a job whose submitter does not name it, whoever brings it", () => {
  expect(declineReason(payloadWith({ deployment: { sites: ["site-2", "site-3"] } }), FACTS)).toBe(
    "the job does not name this site",
  );
  expect(declineReason(payloadWith({ deployment: { sites: ["site-1"] } }), FACTS)).toBeUndefined();
});

test("a site keeps so many jobs waiting and no more", () => {
  expect(declineReason(payloadWith({}), { ...FACTS, waitingJobs: 63 })).toBeUndefined();
  expect(declineReason(payloadWith({}), { ...FACTS, waitingJobs: 64 })).toBe("64 jobs wait here already");
});
