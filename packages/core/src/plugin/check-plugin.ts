import * as v from "valibot";
import { PluginError } from "../errors/index.ts";
import type { EventHandlers, Plugin, VetoHandlers } from "./plugin.ts";

/** Most plug-ins of a host. */
export const MAX_PLUGINS = 16;
/** Longest time limit of a plug-in, ms. */
export const MAX_PLUGIN_TIME_LIMIT_MS = 600_000;

const handler = v.exactOptional(v.function("a function"));

const EVENTS: Record<keyof EventHandlers, typeof handler> = {
  started: handler,
  stopped: handler,
  connected: handler,
  disconnected: handler,
  jobSubmitted: handler,
  jobDeployed: handler,
  jobDecided: handler,
  jobStarted: handler,
  jobEnded: handler,
  roundStarted: handler,
  roundEnded: handler,
  bestModel: handler,
  task: handler,
  taskAnswered: handler,
  resultSent: handler,
  refused: handler,
};

const HOOKS: Record<keyof VetoHandlers, typeof handler> = {
  login: handler,
  submission: handler,
  deployment: handler,
  command: handler,
  resourceCheck: handler,
  taskData: handler,
  taskResult: handler,
};

const PluginSchema = v.strictObject({
  name: v.pipe(
    v.string("text"),
    v.regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, "lower-case letters, digits, dots, hyphens, at most 63"),
  ),
  timeLimitMs: v.exactOptional(
    v.pipe(v.number("a number"), v.safeInteger(), v.minValue(1), v.maxValue(MAX_PLUGIN_TIME_LIMIT_MS)),
  ),
  on: v.exactOptional(v.strictObject(EVENTS)),
  veto: v.exactOptional(v.strictObject(HOOKS)),
});

/**
 * Whether a value is a plug-in: a handler under a name that nobody calls would protect nothing.
 * @param what names it, for people
 * @throws PluginError `ERR_PLUGIN_INVALID`
 */
export function requirePlugin(value: unknown, what = "the plug-in"): asserts value is Plugin {
  const result = v.safeParse(PluginSchema, value);
  if (result.success) return;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? "";
  throw new PluginError(
    "ERR_PLUGIN_INVALID",
    [what, path === "" ? "" : `${path}:`, issue.message].filter((part) => part !== "").join(" "),
  );
}

/** @throws PluginError `ERR_PLUGIN_INVALID` */
export function requirePlugins(plugins: readonly unknown[]): void {
  if (plugins.length > MAX_PLUGINS) {
    throw new PluginError("ERR_PLUGIN_INVALID", `at most ${MAX_PLUGINS} plug-ins (got ${plugins.length})`);
  }
  const names = new Set<string>();
  for (const plugin of plugins) {
    requirePlugin(plugin);
    if (names.has(plugin.name))
      throw new PluginError("ERR_PLUGIN_INVALID", `two plug-ins are called ${plugin.name}`);
    names.add(plugin.name);
  }
}
