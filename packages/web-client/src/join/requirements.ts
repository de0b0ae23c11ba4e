/** Why this page cannot take part, and what to do. */
export interface Obstacle {
  readonly title: string;
  readonly detail: string;
  readonly remedy: string;
}

/** What of the browser is looked at. */
export interface BrowserFacts {
  readonly isSecureContext: boolean;
  readonly origin: string;
  readonly subtle: Pick<SubtleCrypto, "generateKey"> | undefined;
}

/** What stands in the way before anything is asked of the person; `undefined` when nothing does. */
export async function findObstacle({
  isSecureContext,
  origin,
  subtle,
}: BrowserFacts): Promise<Obstacle | undefined> {
  if (!isSecureContext || subtle === undefined) {
    return {
      title: "This address is not secure",
      detail: `Browsers give cryptography only to pages over https or on this machine itself. This page came from ${origin}.`,
      remedy:
        "Open it over https, or as http://localhost on the machine of the server. The demo serves https with npm start -- --lan.",
    };
  }
  try {
    await subtle.generateKey("X25519", false, ["deriveBits"]);
    return undefined;
  } catch {
    return {
      title: "This browser is too old",
      detail: "It has no X25519 key agreement, which every connection of Photinus begins with.",
      remedy: "Update it: Chromium 133, Firefox 130 and Safari 17 have it.",
    };
  }
}

/** What a second tab is told. */
export const OTHER_TAB: Obstacle = {
  title: "Already open in another tab",
  detail: "One tab at a time takes part: two would train on the same data and count as one.",
  remedy: "Go on in the other tab, or close it and reload this one.",
};

/**
 * Holds the lock of this origin for as long as the page lives.
 *
 * @returns false when another tab holds it
 */
export function holdTheOnlyTab(locks: LockManager): Promise<boolean> {
  return new Promise((resolve) => {
    void locks.request("photinus.site", { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      // A promise that never settles keeps the lock until the page is gone.
      return lock === null ? undefined : new Promise<never>(() => undefined);
    });
  });
}
