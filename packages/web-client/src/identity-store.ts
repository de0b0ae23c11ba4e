import type { ObjectRecords } from "@photinus/core/envelope";
import type { RevocationStore } from "@photinus/core/pki";
import { type IDBPDatabase, openDB } from "idb";
import type { BrowserDatabase, StoredConsent, StoredIdentity } from "./browser-database.ts";
import { objectsOf } from "./object-records.ts";

/** What the browser keeps for a site. Everything is deleted by {@link forget}. */
export interface IdentityStore {
  /** The identity in a project under a root; `undefined` when this browser has none. */
  find(project: string, rootFingerprint: string): Promise<StoredIdentity | undefined>;
  /** The identity that was saved last; `undefined` when this browser has none. */
  latest(): Promise<StoredIdentity | undefined>;
  /** Keeps an identity in place of the one before. */
  save(identity: StoredIdentity): Promise<void>;
  /** Notes an agreement. */
  saveConsent(consent: StoredConsent): Promise<void>;
  /** The agreement to a job; `undefined` when there is none. */
  findConsent(project: string, jobId: string): Promise<StoredConsent | undefined>;
  /** Where the newest revocation lists of a project under a root are kept: no server goes back to an older one. */
  revocations(project: string, rootFingerprint: string): RevocationStore;
  /** Where the jobs that this browser has seen are kept, for a project under a root: none is taken twice. */
  objects(project: string, rootFingerprint: string): ObjectRecords;
  /** Deletes key, certificate, agreements, lists and seen jobs of a project. */
  forget(project: string): Promise<void>;
  /** Closes the database. */
  close(): void;
}

/** Version of the tables of {@link BrowserDatabase}. */
const SCHEMA_VERSION = 3;

/** The store of this origin in IndexedDB. */
export async function openIdentityStore(name = "photinus"): Promise<IdentityStore> {
  const database = await openDB<BrowserDatabase>(name, SCHEMA_VERSION, {
    upgrade(upgraded, oldVersion) {
      if (oldVersion < 1) {
        upgraded.createObjectStore("identities", { keyPath: ["project", "rootFingerprint"] });
        upgraded.createObjectStore("consents", { keyPath: ["project", "jobId"] });
      }
      const keyPath = ["project", "rootFingerprint", "name"];
      if (oldVersion < 2) upgraded.createObjectStore("revocations", { keyPath });
      upgraded.createObjectStore("objects", { keyPath });
    },
  });
  return {
    find: (project, rootFingerprint) => database.get("identities", [project, rootFingerprint]),
    latest: async () => {
      const all = await database.getAll("identities");
      return all.sort((left, right) => left.savedAtMs - right.savedAtMs).at(-1);
    },
    save: async (identity) => {
      await database.put("identities", identity);
    },
    saveConsent: async (consent) => {
      await database.put("consents", consent);
    },
    findConsent: (project, jobId) => database.get("consents", [project, jobId]),
    revocations: (project, rootFingerprint) => revocationsOf(database, [project, rootFingerprint]),
    objects: (project, rootFingerprint) => objectsOf(database, [project, rootFingerprint]),
    forget: (project) => forget(database, project),
    close: () => database.close(),
  };
}

/** All records of a project. */
const rangeOf = (project: string): IDBKeyRange => IDBKeyRange.bound([project, ""], [project, "\uffff"]);

function revocationsOf(
  database: IDBPDatabase<BrowserDatabase>,
  [project, rootFingerprint]: readonly [string, string],
): RevocationStore {
  const ofRoot = IDBKeyRange.bound([project, rootFingerprint, ""], [project, rootFingerprint, "\uffff"]);
  return {
    load: () => database.getAll("revocations", ofRoot),
    async save(record) {
      // One transaction: another tab of this origin may save at the same time.
      const transaction = database.transaction("revocations", "readwrite");
      const present = await transaction.store.get([project, rootFingerprint, record.name]);
      const isNewer = present === undefined || present.number < record.number;
      if (isNewer) await transaction.store.put({ ...record, project, rootFingerprint });
      await transaction.done;
      return isNewer;
    },
  };
}

async function forget(database: IDBPDatabase<BrowserDatabase>, project: string): Promise<void> {
  const ofProject = rangeOf(project);
  const transaction = database.transaction(["identities", "consents", "revocations", "objects"], "readwrite");
  await Promise.all([
    transaction.objectStore("identities").delete(ofProject),
    transaction.objectStore("consents").delete(ofProject),
    transaction.objectStore("revocations").delete(ofProject),
    transaction.objectStore("objects").delete(ofProject),
    transaction.done,
  ]);
}
