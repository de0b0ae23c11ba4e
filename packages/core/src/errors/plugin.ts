import type { ErrorHandling } from "./definition.ts";
import { PhotinusError } from "./photinus-error.ts";

/** A code of {@link PluginError}. */
export type PluginErrorCode = "ERR_PLUGIN_REFUSED" | "ERR_PLUGIN_INVALID";

/** What the codes mean, of plug-ins. */
export const PLUGIN_ERRORS: Readonly<Record<PluginErrorCode, ErrorHandling>> = {
  ERR_PLUGIN_REFUSED: { wire: 4112, action: "reject" },
  ERR_PLUGIN_INVALID: { action: "stop" },
};

/** What a person does about them. */
export const PLUGIN_REMEDIES: Readonly<Record<PluginErrorCode, string>> = {
  ERR_PLUGIN_REFUSED:
    "Ask the people who run the named plug-in, or the service behind it: nothing goes on unless it agrees, and in time.",
  ERR_PLUGIN_INVALID:
    "Correct the plug-in, or plugins.json that names it; the program does not start without a plug-in that it was given.",
};

/** A plug-in refused, or is none. */
export class PluginError extends PhotinusError<PluginErrorCode> {}
