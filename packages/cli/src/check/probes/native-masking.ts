import { hasNativeMasking } from "@photinus/node-platform";
import { ok, warning } from "../finding.ts";
import type { Probe } from "../subject.ts";

/** Are sockets masked by native code? */
export const nativeMasking: Probe = {
  name: "bufferutil",
  run: async () =>
    hasNativeMasking()
      ? ok("sockets mask natively")
      : warning(
          "bufferutil is not in use: sockets move bytes about four times slower",
          "Install it with npm install bufferutil, and unset WS_NO_BUFFER_UTIL.",
        ),
};
