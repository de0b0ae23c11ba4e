export type { AcceptedConnection, Federation, PublishedBlob } from "./http/federation.ts";
export {
  type HostAddress,
  HttpHost,
  type HttpHostModules,
  type HttpHostOptions,
  type TlsOptions,
} from "./http/http-host.ts";
export { type PrometheusMetrics, prometheusMetrics } from "./http/prometheus-metrics.ts";
export { type ReadScope, type ReadTokens, readTokens } from "./http/read-tokens.ts";
export type { UpgradeLimits } from "./http/upgrade-limits.ts";
