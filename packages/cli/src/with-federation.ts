import { connect, type Federation } from "@photinus/core/console";
import { HostError } from "@photinus/core/errors";
import type { OpenedKit } from "@photinus/core/provision";
import { nodeTransport } from "@photinus/node-client";
import { systemClock } from "@photinus/node-platform";
import { chooseProxy } from "./choose-proxy.ts";
import { type KitOptions, openKitFolder } from "./commands/open-kit-folder.ts";
import type { CommandContext } from "./context.ts";
import { credentialsOf } from "./local-settings.ts";

/** Options of every command that acts on a running server as a person. */
export interface PersonOptions extends KitOptions {
  /** Address of the server's socket; by default those in the kit. */
  readonly server?: string;
  /** Address of an HTTP proxy, or "none"; by default what the environment says. */
  readonly proxy?: string;
  /** The command gives up after this time, ms. */
  readonly timeout?: number;
}

/** What a command acts on. */
export interface Connected {
  readonly federation: Federation;
  readonly kit: OpenedKit;
  /** Aborted when the command shall stop, or its time is up. */
  readonly signal: AbortSignal;
}

/**
 * Opens a person's session for one command.
 * @throws ProvisionError, PkiError for the kit; WireError when the server does not answer; RequestError when it refuses;
 *   HostError `ERR_TIMED_OUT`
 */
export async function withFederation<T>(
  options: PersonOptions,
  act: (connected: Connected) => Promise<T>,
  { terminal, signal = new AbortController().signal }: Partial<CommandContext> = {},
): Promise<T> {
  const { kit, tls } = await openKitFolder(options);
  const credentials = await credentialsOf(options.kit, (text) => terminal?.note(text));
  const { server, proxy, timeout } = options;
  const transport = {
    ...nodeTransport({
      ...{ kit, tls, proxyOf: chooseProxy(proxy) },
      ...(server === undefined ? {} : { server }),
    }),
    ...(credentials === undefined ? {} : { credentials }),
  };
  return await within(timeout, signal, async (until) => {
    const federation = await connect({ kit, transport, signal: until });
    try {
      return await act({ federation, kit, signal: until });
    } finally {
      await federation.close();
    }
  });
}

async function within<T>(
  timeoutMs: number | undefined,
  signal: AbortSignal,
  work: (until: AbortSignal) => Promise<T>,
): Promise<T> {
  if (timeoutMs === undefined) return await work(signal);
  const over = new AbortController();
  const timer = systemClock().after(timeoutMs, () =>
    over.abort(new HostError("ERR_TIMED_OUT", `it is not done after ${timeoutMs / 1_000} s`)),
  );
  try {
    return await work(AbortSignal.any([signal, over.signal]));
  } catch (error) {
    // Whatever failed on the way out failed of that.
    throw over.signal.aborted && !signal.aborted ? over.signal.reason : error;
  } finally {
    timer.cancel();
  }
}
