export type { MessageDefinition } from "./definition.ts";
export {
  applyObservation,
  type ContributionView,
  type JobState,
  type JobView,
  type MetricsView,
  type Observation,
  type ObservationChange,
  type ObservationSource,
  type RoundView,
  type SitePhase,
  type SiteView,
} from "./observation.ts";
