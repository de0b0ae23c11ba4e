import type { MetricLabels, Metrics } from "@photinus/core/platform";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { describeMetric } from "./metric-catalogue.ts";

/** Figures of the running server in the format of Prometheus. */
export interface PrometheusMetrics extends Metrics {
  /** Media type of {@link render}. */
  readonly contentType: string;
  /** All figures as text. */
  render(): Promise<string>;
}

type Kind = "counter" | "gauge" | "histogram";
type Series = Counter | Gauge | Histogram;

/** Most names: one more is a label that was made part of a name. */
const MAX_NAMES = 500;

class Collector implements PrometheusMetrics {
  readonly #registry = new Registry();
  readonly #series = new Map<
    string,
    { readonly kind: Kind; readonly series: Series; readonly labels: string }
  >();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  render(): Promise<string> {
    return this.#registry.metrics();
  }

  count(name: string, amount = 1, labels: MetricLabels = {}): void {
    const series = this.#of("counter", name, labels);
    if (series instanceof Counter) series.inc(labels, amount);
  }

  gauge(name: string, value: number, labels: MetricLabels = {}): void {
    const series = this.#of("gauge", name, labels);
    if (series instanceof Gauge) series.set(labels, value);
  }

  observe(name: string, value: number, labels: MetricLabels = {}): void {
    const series = this.#of("histogram", name, labels);
    if (series instanceof Histogram) series.observe(labels, value);
  }

  /** A figure with other labels or of another kind than the first of its name is dropped: it must not stop the work. */
  #of(kind: Kind, name: string, labels: MetricLabels): Series | undefined {
    const labelNames = Object.keys(labels).sort();
    const known = this.#series.get(name);
    if (known) return known.kind === kind && known.labels === labelNames.join() ? known.series : undefined;
    if (this.#series.size >= MAX_NAMES || !/^[a-z][a-z0-9_]*$/.test(name)) return undefined;
    const series = this.#create(kind, name, labelNames);
    this.#series.set(name, { kind, series, labels: labelNames.join() });
    return series;
  }

  #create(kind: Kind, name: string, labelNames: string[]): Series {
    const { help, buckets } = describeMetric(name);
    const options = { name, help, labelNames, registers: [this.#registry] };
    switch (kind) {
      case "counter":
        return new Counter(options);
      case "gauge":
        return new Gauge(options);
      case "histogram":
        return new Histogram({ ...options, buckets: [...buckets] });
    }
  }
}

/** Collects figures for `/metrics`, those of the process (memory, CPU, event loop) included. */
export function prometheusMetrics(): PrometheusMetrics {
  return new Collector();
}
