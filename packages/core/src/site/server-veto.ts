import { toHex } from "../bytes/index.ts";
import { type PluginHost, participantFacts } from "../plugin/index.ts";
import type { Session } from "../session/index.ts";

/** Asks plug-ins about the server of a session. @returns false when one refused: it was told, and the session ends */
export async function isWelcome(session: Session, plugins: PluginHost): Promise<boolean> {
  const { peer, id, signal } = session;
  try {
    const facts = { peer: participantFacts(peer) };
    await plugins.require("login", facts, { signal, correlation: toHex(id) });
    return true;
  } catch (error) {
    const detail = error instanceof Error ? error.message : "the plug-ins could not be asked";
    await session.close("ERR_PLUGIN_REFUSED", detail);
    return false;
  }
}
