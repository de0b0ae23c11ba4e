import { type Bytes, concatBytes, equalBytes, utf8 } from "@photinus/core/bytes";
import { ProvisionError, StorageError } from "@photinus/core/errors";
import type { CryptoProvider, MetadataStore } from "@photinus/core/platform";

/** Names of sites that enrolled as they were recorded before they had devices: without organization, so they cannot be read on. */
const OLD_NAMES = "enrolment/names/";

/**
 * Refuses records of a version that took names in another place: a name of a site that joined then would be free now.
 * @throws StorageError `ERR_STORAGE_VERSION`
 */
export async function requireKnownRecords(metadata: Pick<MetadataStore, "list">): Promise<void> {
  const { length } = await metadata.list(OLD_NAMES);
  if (length === 0) return;
  const what = `${length} of the sites that joined by a link are recorded as an older version did`;
  throw new StorageError(
    "ERR_STORAGE_VERSION",
    `${what}: begin with a new state folder, and let them join again`,
  );
}

const KEY_RECORD = "storage-key";

/**
 * Refuses a kit by whose storage key nothing that lies in the storage could be read; the first start notes which one it is.
 * @param storageKey 32 random bytes: their digest tells nothing of them
 * @throws ProvisionError `ERR_STORAGE_KEY_OTHER`
 */
export async function requireSameStorageKey(
  storageKey: Bytes,
  { metadata, crypto }: { readonly metadata: MetadataStore; readonly crypto: CryptoProvider },
): Promise<void> {
  const digest = await crypto.sha256(concatBytes(utf8("photinus storage key"), storageKey));
  try {
    await metadata.create(KEY_RECORD, digest);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "ERR_STORAGE_EXISTS") throw error;
  }
  // Also after it was created here: another gateway may have started beside this one.
  const known = await metadata.get(KEY_RECORD);
  if (known !== undefined && equalBytes(known.value, digest)) return;
  throw new ProvisionError("ERR_STORAGE_KEY_OTHER", "what is stored was written by another storage key");
}
