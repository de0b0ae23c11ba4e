export {
  type AppliedFilter,
  type ChainOutcome,
  FilterChain,
  type FilterChainOptions,
  type FilterOrigin,
} from "./chain.ts";
export { defineFilter, type FilterSpecification } from "./define.ts";
export type { FilterDefinition } from "./definition.ts";
export {
  type DataKind,
  directionOf,
  type Filter,
  type FilterData,
  type FilterDirection,
  type FilterKind,
  type FilterModules,
  type FilterNumbers,
  type FilterOutcome,
  type FilterPoint,
  type FilterRegistry,
} from "./filter.ts";
export { type JobFilters, jobFiltersSchema } from "./job-filters.ts";
export {
  DEFAULT_PRIVACY_DOCUMENT,
  type ParsePrivacyOptions,
  type PrivacyDocument,
  type PrivacyPolicy,
  type PrivacyScope,
  type PrivacyScopeDocument,
  type PrivacySource,
  type PrivacyState,
  parsePrivacyPolicy,
  privacyDocumentSchema,
  publicPrivacy,
  scopeName,
} from "./privacy-policy.ts";
export { filterRegistry } from "./registry.ts";
