export { plaintextPlan } from "./binding.ts";
export type {
  ContentToSeal,
  SealedContent,
  SealedManifest,
  SealedStatement,
  SealingContext,
  WrappedKey,
} from "./contract.ts";
export { type HpkeBinding, type HpkeSealed, hpkeOpen, hpkeSeal } from "./hpke.ts";
export {
  DEFAULT_SEALING_ROLES,
  KEY_PACKAGE_TYPE,
  type KeyPackage,
  type KeyPackageToSign,
  keyPackageRule,
  MAX_KEY_PACKAGE_LIFETIME_MS,
  readKeyPackage,
  signKeyPackage,
} from "./key-package.ts";
export {
  KeyPackageBook,
  type KeyPackageBookModules,
  type KeyPackageBookOptions,
} from "./key-package-book.ts";
export { KeyRing, type KeyRingModules } from "./key-ring.ts";
export { sealedManifestSchema } from "./manifest.ts";
export { type OpenModules, type OpenOptions, openFrom, SealedOpener } from "./open.ts";
export { type SealModules, sealFor } from "./seal.ts";
export { MAX_RECIPIENTS } from "./statement.ts";
