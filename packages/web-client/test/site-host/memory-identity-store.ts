import { metadataRevocationStore } from "@photinus/core/pki";
import { memoryMetadata, memoryObjectRecords } from "@photinus/core/testing";
import type { StoredConsent, StoredIdentity } from "../../src/browser-database.ts";
import type { IdentityStore } from "../../src/identity-store.ts";

/** What IndexedDB keeps, in memory: Node has none. */
export function memoryIdentityStore(): IdentityStore & { readonly identities: StoredIdentity[] } {
  const identities: StoredIdentity[] = [];
  const consents: StoredConsent[] = [];
  const revocations = metadataRevocationStore(memoryMetadata());
  const objects = memoryObjectRecords();
  const put = <T>(list: T[], item: T, isSame: (other: T) => boolean): void => {
    const index = list.findIndex(isSame);
    list.splice(index < 0 ? list.length : index, index < 0 ? 0 : 1, item);
  };
  return {
    identities,
    find: async (project, rootFingerprint) =>
      identities.find((one) => one.project === project && one.rootFingerprint === rootFingerprint),
    latest: async () => identities.toSorted((left, right) => left.savedAtMs - right.savedAtMs).at(-1),
    save: async (identity) =>
      put(
        identities,
        identity,
        ({ project, rootFingerprint }) =>
          project === identity.project && rootFingerprint === identity.rootFingerprint,
      ),
    saveConsent: async (consent) =>
      put(consents, consent, ({ project, jobId }) => project === consent.project && jobId === consent.jobId),
    findConsent: async (project, jobId) =>
      consents.find((one) => one.project === project && one.jobId === jobId),
    revocations: () => revocations,
    objects: () => objects,
    forget: async (project) => {
      for (const list of [identities, consents]) {
        const kept = list.filter((one) => one.project !== project);
        list.splice(0, list.length, ...(kept as never[])); // each list keeps its own items
      }
    },
    close: () => undefined,
  };
}
