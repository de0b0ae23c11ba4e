export { type GrantedResources, type Lack, take } from "./managers.ts";
export { type Reservation, ResourcePool, type ResourcePoolModules } from "./pool.ts";
export { resourceRoutes } from "./routes.ts";
export {
  NO_RESOURCES,
  RESOURCES_VERSION,
  type ResourceSettings,
  type ResourceSource,
  resourceSettingsSchema,
  type UnusableResources,
} from "./settings.ts";
