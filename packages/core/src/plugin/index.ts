export { MAX_PLUGIN_TIME_LIMIT_MS, MAX_PLUGINS, requirePlugin } from "./check-plugin.ts";
export { participantFacts, tensorFacts } from "./describe.ts";
export type {
  ActorFacts,
  JobFacts,
  ParticipantFacts,
  TaskDataFacts,
  TaskFacts,
  TaskResultFacts,
  TensorFacts,
} from "./facts.ts";
export type {
  EventHandlers,
  Plugin,
  PluginEvent,
  PluginEvents,
  PluginVerdict,
  VetoFacts,
  VetoHandlers,
  VetoHook,
} from "./plugin.ts";
export { MAX_HUNG_CALLS, PluginHost, type PluginHostModules, type VetoOptions } from "./plugin-host.ts";
