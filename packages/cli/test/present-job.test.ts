import { expect, test } from "vitest";
import { presentJob } from "../src/job/present-job.ts";

const silent = {
  views: async function* () {
    // tells nothing
  },
};

test("a job of which the server tells nothing is unknown; a command that was stopped says why", async () => {
  const reason = new Error("stopped by SIGINT");

  await expect(presentJob(silent, new AbortController().signal)).rejects.toMatchObject({
    code: "ERR_JOB_UNKNOWN",
  });
  await expect(presentJob(silent, AbortSignal.abort(reason))).rejects.toBe(reason);
});
