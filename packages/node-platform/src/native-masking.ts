import { createRequire } from "node:module";
import type { Logger, Metrics } from "@photinus/core/platform";

/**
 * True when `ws` masks frames by the native code of bufferutil. Without it (linux-arm64, Alpine, WS_NO_BUFFER_UTIL)
 * sockets move bytes about four times slower.
 */
export function hasNativeMasking(environment: NodeJS.ProcessEnv = process.env): boolean {
  if (environment["WS_NO_BUFFER_UTIL"]) return false;
  const require = createRequire(import.meta.url);
  try {
    const used: { readonly mask: unknown } = require("bufferutil");
    const fallback: { readonly mask: unknown } = require("bufferutil/fallback.js");
    return used.mask !== fallback.mask;
  } catch {
    // Not installed: it is an optional dependency.
    return false;
  }
}

/** Logs which masking is in use and exports it as the gauge `photinus_native_masking` (1 or 0). */
export function reportNativeMasking(host: { readonly logger: Logger; readonly metrics: Metrics }): void {
  const isNative = hasNativeMasking();
  host.metrics.gauge("photinus_native_masking", isNative ? 1 : 0);
  if (isNative) host.logger.debug("sockets mask natively (bufferutil)");
  else host.logger.warn("bufferutil is not in use: sockets move bytes about four times slower");
}
