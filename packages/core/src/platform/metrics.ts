/** Labels of one observation: few values each, never names of people. */
export type MetricLabels = Readonly<Record<string, string>>;

/** Where figures about the running system go (Prometheus in node-server). Names carry their unit. */
export interface Metrics {
  /** Adds `amount` (default 1) to a counter. */
  count(name: string, amount?: number, labels?: MetricLabels): void;
  /** Sets a gauge. */
  gauge(name: string, value: number, labels?: MetricLabels): void;
  /** Records one value of a distribution. */
  observe(name: string, value: number, labels?: MetricLabels): void;
}

const ignore = (): void => undefined;

/** Drops every figure. */
export const noMetrics: Metrics = { count: ignore, gauge: ignore, observe: ignore };
