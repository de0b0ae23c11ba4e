export {
  type AuthenticationSettings,
  type ClaimRule,
  type DashboardProvider,
  type DashboardRole,
  type DashboardUserRule,
  type JoinPageProvider,
  type Locate,
  type LoginProvider,
  parseAuthenticationSettings,
  type SignatureName,
} from "./authentication/settings.ts";
export type { AcceptedConnection, Federation, PublishedBlob, TransportPeer } from "./http/federation.ts";
export {
  type HostAddress,
  HttpHost,
  type HttpHostModules,
  type HttpHostOptions,
} from "./http/http-host.ts";
export { type PrometheusMetrics, prometheusMetrics } from "./http/prometheus-metrics.ts";
export { type ReadScope, type ReadTokens, readTokens } from "./http/read-tokens.ts";
export type { TlsOptions } from "./http/tls.ts";
export type { UpgradeLimits } from "./http/upgrade-limits.ts";
export type { KitSource, LoadedKit } from "./server/kit-renewal.ts";
export {
  PhotinusServer,
  type PhotinusServerModules,
  type PhotinusServerOptions,
} from "./server/photinus-server.ts";
export type { ServerStorage } from "./server/storage.ts";
export { type EmbeddedStorage, openStorage, type StorageOptions } from "./storage/open-storage.ts";
