/** The ASN.1 libraries, which read encrypted keys. They are 90 kB gzip, so a page loads them only when it has one. */
export interface PkiLibraries {
  /** ASN.1 itself. */
  readonly asn1: typeof import("asn1js");
  /** The structures of X.509, PKCS and CMS. */
  readonly pkijs: typeof import("pkijs");
}

/**
 * Loads the ASN.1 libraries once. Whoever needs keys to cost no turn of the event loop (a simulation)
 * awaits this beforehand; all else calls it by itself.
 */
export const loadPki: () => Promise<PkiLibraries> = once(async () => {
  const [asn1, pkijs] = await Promise.all([import("asn1js"), import("pkijs")]);
  return { asn1, pkijs };
});

function once<T>(create: () => Promise<T>): () => Promise<T> {
  let pending: Promise<T> | undefined;
  return () => {
    pending ??= create();
    return pending;
  };
}
