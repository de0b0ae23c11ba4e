/** What docs/METRICS.md says of a figure. */
export interface MetricDescription {
  /** One line for people. */
  readonly help: string;
  /** Upper bounds of a distribution's buckets, in the unit of the name. */
  readonly buckets: readonly number[];
}

const MILLISECONDS: readonly number[] = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 60_000,
];
const BYTES: readonly number[] = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
const PLAIN: readonly number[] = [0.001, 0.01, 0.1, 1, 10, 100, 1_000];

/** Figures of the host and of core; the table of docs/METRICS.md has the same lines. */
export const HOST_METRICS: Readonly<Record<string, string>> = {
  photinus_connections: "Open WebSocket connections",
  photinus_connections_half_open: "Connections that have not authenticated yet",
  photinus_connections_evicted_total: "Such connections that gave their place to an address with fewer",
  photinus_upgrades_total: "WebSocket upgrades by outcome: accepted, or the code of the refusal",
  photinus_http_requests_total: "HTTP requests by route and status",
  photinus_observers: "Readers of observation logs",
  photinus_tls_reloads_total:
    "Readings of kit and certificates while the server runs, by outcome: taken, or the code of the refusal",
  photinus_native_masking: "1 when bufferutil masks frames natively, else 0",
  photinus_sites_connected: "Sites with a session",
  photinus_messages_received_total: "Messages that verified, by kind",
  photinus_objects_repeated_total: "Signed objects that came again and were dropped",
  photinus_refusals_total: "What was refused in sessions, by code",
  photinus_plugin_refusals_total: "What plug-ins refused, by hook and ground",
  photinus_plugin_failures_total: "Handlers of plug-ins that threw or rejected, by handler",
};

function bucketsOf(name: string): readonly number[] {
  if (name.endsWith("_ms")) return MILLISECONDS;
  return name.endsWith("_bytes") ? BYTES : PLAIN;
}

/** Help and buckets of a figure; a figure without a line of its own is described by its name. */
export function describeMetric(name: string): MetricDescription {
  return { help: HOST_METRICS[name] ?? name.replaceAll("_", " "), buckets: bucketsOf(name) };
}
