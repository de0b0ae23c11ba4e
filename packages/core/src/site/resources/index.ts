export type { GrantedResources } from "./managers.ts";
export { ResourcePool } from "./pool.ts";
export { resourceRoutes } from "./routes.ts";
export {
  DEFAULT_RESOURCES_DOCUMENT,
  NO_RESOURCES,
  type ResourceSettings,
  type ResourceSource,
  resourceSettingsSchema,
  type UnusableResources,
} from "./settings.ts";
