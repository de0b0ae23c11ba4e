import fc from "fast-check";
import { expect, test } from "vitest";
import { TestFederation } from "./a-federation.ts";
import { CHUNKS, type ResumingSite, resumingSite, submitChunked } from "./resuming-site.ts";

/** What happens, and after how many more chunks of the first site. */
const faults = fc.array(
  fc.record({
    kind: fc.constantFrom("drop", "forget", "stop", "crash"),
    after: fc.integer({ min: 0, max: CHUNKS - 1 }),
  }),
  { minLength: 1, maxLength: 4 },
);

type Fault = typeof faults extends fc.Arbitrary<readonly (infer Each)[]> ? Each : never;

async function happen({ kind }: Fault, federation: TestFederation, site: ResumingSite): Promise<void> {
  site.line.limit = Number.POSITIVE_INFINITY;
  if (kind === "drop") await site.drop();
  if (kind === "forget") await site.forget();
  if (kind === "stop") await federation.clock.runUntil(federation.restart());
  if (kind === "crash") await federation.clock.runUntil(federation.crash());
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

test("whatever is dropped, stopped and killed: each site trains once, counts once, and sends what is missing", async () => {
  await fc.assert(
    fc.asyncProperty(faults, async (plan) => {
      const federation = await TestFederation.start({ coordinator: { uploadSlots: 1 } });
      const [site, other] = [
        resumingSite(federation, "site-1", 0.5),
        resumingSite(federation, "site-2", 0.25),
      ];
      const [first] = plan;
      site.line.limit = first?.after ?? 0;
      const jobId = await submitChunked(federation, { rounds: 1, minimumSites: 2, roundTimeoutMs: 600_000 });
      await federation.clock.settle();
      for (const [index, fault] of plan.entries()) {
        await happen(fault, federation, site);
        site.line.limit = plan[index + 1]?.after ?? Number.POSITIVE_INFINITY;
        await federation.clock.advance(5000);
      }
      site.line.limit = Number.POSITIVE_INFINITY;
      await site.drop(); // a line that was left broken is noticed
      const view = await federation.untilEnd(jobId);

      expect(view.state).toBe("finished");
      const outcomes = view.history[0]?.contributions.map((each) => [each.site, each.outcome]);
      expect(outcomes?.sort()).toEqual([
        ["site-1", "accepted"],
        ["site-2", "accepted"],
      ]);
      expect([site.trainings(), other.trainings()]).toEqual([1, 1]);
      const user = await federation.user();
      const { model } = await federation.clock.runUntil(user.job(jobId).result());
      expect(new Set(model.get("w")?.f32)).toEqual(new Set([0.375]));
      // Only a process that ends forgets what it had added; without one no chunk goes twice.
      if (plan.every(({ kind }) => kind === "drop" || kind === "forget")) {
        expect([sum(site.chunks), sum(other.chunks)]).toEqual([CHUNKS, CHUNKS]);
      }
      await federation.stop();
    }),
    { numRuns: 8, seed: 11 },
  );
});
