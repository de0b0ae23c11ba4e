import { StorageError } from "@photinus/core/errors";
import type { MetadataStore } from "@photinus/core/platform";

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
