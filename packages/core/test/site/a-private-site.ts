import { memorySpending } from "../../src/accounting/index.ts";
import { auditLog } from "../../src/audit/index.ts";
import { filterRegistry, type PrivacyState, parsePrivacyPolicy } from "../../src/filter/index.ts";
import type { AuditRecord } from "../../src/platform/index.ts";
import type { Site, SiteModules } from "../../src/site/index.ts";
import { memoryAudit, seededRandom } from "../../src/testing/index.ts";
import type { TestFederation } from "../coordinator/a-federation.ts";

/** A job for one site. */
export const ALONE = { rounds: 2, minimumSites: 1, waitForSitesMs: 1000 };

/** A filter by which metrics stay. */
export const noMetrics = { name: "block-kinds", args: { kinds: ["metrics"] } };

/** The policy that a document says. */
export const policyOf = (document: unknown): PrivacyState => ({
  policy: parsePrivacyPolicy(document, { registry: filterRegistry() }),
});

/** A policy of one scope, the default. */
export const aScope = (fields: object, name = "study"): PrivacyState =>
  policyOf({ scopes: [{ name, ...fields }], default_scope: name });

/** A site with a policy of its own. */
export interface PrivateSite {
  /** The site. */
  readonly site: Site;
  /** The policy of now, which a test edits. */
  state: PrivacyState;
  /** What is on record about privacy. */
  readonly records: () => Promise<readonly AuditRecord["event"][]>;
}

/** A site of a federation under a policy. */
export function aSite(
  federation: TestFederation,
  state: PrivacyState,
  { name = "site-1", ...modules }: Partial<SiteModules> & { readonly name?: string } = {},
): PrivateSite {
  const store = memoryAudit(federation.crypto);
  const made: PrivateSite = {
    state,
    site: federation.site(name, {
      modules: {
        privacy: () => made.state,
        noise: seededRandom(`noise/${name}`),
        spending: memorySpending(),
        audit: auditLog(store, federation.clock),
        ...modules,
      },
    }),
    records: async () => {
      const events: AuditRecord["event"][] = [];
      for await (const { event } of store.read()) {
        if (event.action === "filter" || event.action === "budget") events.push(event);
      }
      return events;
    },
  };
  return made;
}
