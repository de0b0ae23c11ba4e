import { HostError } from "@photinus/core/errors";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { makeInvite, openStorage } from "@photinus/node-server";
import type { CommandContext } from "../context.ts";
import { type KitOptions, openKitFolder } from "./open-kit-folder.ts";

/** Options of `photinus invite`. */
export interface InviteCommandOptions extends KitOptions {
  /** State folder of the server, which must not run meanwhile. */
  readonly state: string;
  /** Organization of the pages that join. */
  readonly org: string;
  /** Beginning of their names. */
  readonly prefix: string;
  /** How many may join. */
  readonly uses: number;
  /** For how long. */
  readonly hours: number;
  /** Origin of the server's pages, such as `https://fl.example.org`. */
  readonly origin: string;
}

const HOUR_MS = 3_600_000;

function originOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      `--origin is an address such as https://fl.example.org, got ${text}`,
    );
  }
  return url.origin;
}

/** Makes an invite in the state of a server that does not run, and prints the link: a secret. */
export async function invite(options: InviteCommandOptions, { terminal }: CommandContext): Promise<void> {
  const origin = originOf(options.origin);
  const { kit } = await openKitFolder(options);
  const [clock, crypto] = [systemClock(), nodeCrypto()];
  const storage = await openStorage({ folder: options.state }, { crypto });
  try {
    const { org, prefix, uses } = options;
    const expiresAtMs = clock.now() + options.hours * HOUR_MS;
    const fragment = await makeInvite(
      { org, prefix, uses, expiresAtMs },
      { kit, storage, clock, crypto },
    ).catch((cause: unknown) => {
      if (!(cause instanceof RangeError)) throw cause;
      throw new HostError("ERR_CONFIG_INVALID", cause.message, { cause });
    });
    terminal.line(`${origin}/join#${fragment}`);
    terminal.note(
      `${uses} may join until ${new Date(expiresAtMs).toISOString()}. Who has the link can join.`,
    );
    terminal.result({ link: `${origin}/join#${fragment}`, uses, expiresAtMs });
  } finally {
    await storage.close();
  }
}
