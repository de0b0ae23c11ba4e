import { createHash } from "node:crypto";
import {
  DEFAULT_POLICY_DOCUMENT,
  evaluatePolicy,
  type PolicyQuestion,
  parsePolicy,
  RIGHT_CATEGORIES,
} from "@photinus/core/authorization";
import type { BenchmarkOptions, BenchmarkResult, Metric } from "./benchmark.ts";
import { smallJobs } from "./federation/small-jobs.ts";
import { comparePairs } from "./paired.ts";

/** Most that one decision of a policy may take, microseconds. */
const TARGET_MICROSECONDS = 5;
/** Decisions of one repetition. */
const DECISIONS = 200_000;
/** Partners that the lead's rule names: a policy of an organization with many of them. */
const PARTNERS = 20;

/** What jobs cost beside their rounds. */
export async function run({ args, log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  const at = args.indexOf("--pairs");
  const pairs = at < 0 ? 9 : Number(args[at + 1]) || 9;
  return {
    benchmark: "jobs",
    metrics: { ...(await smallJobs(signal, log)), ...(await policyMetrics(pairs, signal)) },
  };
}

/** A policy with a list of partners, asked for every right by every role in turn; the reference is SHA-256 of 64 bytes. */
async function policyMetrics(pairs: number, signal: AbortSignal): Promise<Readonly<Record<string, Metric>>> {
  const policy = parsePolicy(document());
  const questions = allQuestions();
  const block = new Uint8Array(64);
  const { candidate, baseline, ratio } = await comparePairs(
    () => {
      let allowed = 0;
      for (let count = 0; count < DECISIONS; count++) {
        const question = questions[count % questions.length];
        if (question !== undefined && evaluatePolicy(policy, question).allowed) allowed++;
      }
      if (allowed === 0 || allowed === DECISIONS) throw new Error("a policy decides both ways");
    },
    () => {
      for (let count = 0; count < DECISIONS; count++) createHash("sha256").update(block).digest();
    },
    { pairs, signal },
  );
  const microseconds = (milliseconds: number): number => (milliseconds * 1000) / DECISIONS;
  const value = microseconds(candidate.median);
  return {
    policyDecision: {
      value,
      unit: "us",
      reference: TARGET_MICROSECONDS,
      ratio: value / TARGET_MICROSECONDS,
      spread: candidate.spread,
    },
    policyDecisionPerHash: {
      value: ratio.median,
      unit: "x",
      spread: ratio.spread,
    },
    bareHash: { value: microseconds(baseline.median), unit: "us", spread: baseline.spread },
  };
}

function document(): unknown {
  const { permissions, ...rest } = DEFAULT_POLICY_DOCUMENT;
  const partners = Array.from({ length: PARTNERS }, (_, at) => `o:partner ${at}`);
  const lead = { ...permissions.lead, submit_job: ["not n:eve@example.org", ...partners] };
  return { ...rest, permissions: { ...permissions, lead } };
}

/** Texts as certificates have them: some need folding. */
function allQuestions(): readonly PolicyQuestion[] {
  const rights = Object.values(RIGHT_CATEGORIES).flat();
  return ["project_admin", "org_admin", "Lead", "member", "nobody"].flatMap((role) =>
    rights.map((right, at) => ({
      site: { org: "north" },
      user: { name: `User-${at}@Example.org`, org: at % 2 === 0 ? "north" : `Partner  ${at}`, role },
      submitter: { name: "alice@example.org", org: "north" },
      right,
    })),
  );
}
