export { type ChartPoint, chartPoints } from "./chart-data.ts";
export { FEED_REQUEST, FeedRequest } from "./feed-request.ts";
export {
  formatBytes,
  formatCount,
  formatDuration,
  formatLoss,
  formatLossOr,
  formatPercent,
  formatPercentOr,
  formatPoints,
} from "./format.ts";
export { glyph } from "./glyph.ts";
export { type FeedChoice, JobController } from "./job-controller.ts";
export { type FeedFault, type FeedStatus, JobFeed } from "./job-feed.ts";
export { parseObservation } from "./observation-schema.ts";
export type { Tone } from "./phase.ts";
export { PhotinusElement } from "./photinus-element.ts";
export { PhotinusFeed } from "./photinus-feed.ts";
export { PhotinusJobStatus } from "./photinus-job-status.ts";
export { PhotinusRoundChart } from "./photinus-round-chart.ts";
export { PhotinusRoundTimeline } from "./photinus-round-timeline.ts";
export { PhotinusSites } from "./photinus-sites.ts";
export { type ConnectionState, type SseOptions, sseObservations } from "./sse-observations.ts";
export { theme } from "./theme.css.ts";
