import { toHex } from "@photinus/core/bytes";
import { HostError } from "@photinus/core/errors";
import type { CommandContext } from "../context.ts";
import { type AdministratorOptions, administer, digestFrom } from "./administer.ts";

/** Options of `photinus invite`. */
export interface InviteCommandOptions extends AdministratorOptions {
  /** Organization of who joins. */
  readonly org: string;
  /** Beginning of their names. */
  readonly prefix: string;
  /** The one name that it gives instead. */
  readonly name?: string;
  /** Study whose sites they become. */
  readonly study?: string;
  /** How many may join. */
  readonly uses: number;
  /** For how long, ms. */
  readonly expires: number;
  /** Origin of the server's pages; by default that of the server's first address. */
  readonly origin?: string;
}

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

/** Makes an invite at the running server, and prints the link: a secret. */
export async function invite(options: InviteCommandOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { org, prefix, name, uses, study } = options;
  const expiresAtMs = Date.now() + options.expires;
  const link = await administer(
    options,
    async ({ administration, kit }) => {
      const [address = ""] = kit.configuration.server.addresses;
      const origin = originOf(options.origin ?? (options.server ?? address).replace(/^ws/, "http"));
      const whom = name === undefined ? { prefix, uses } : { name };
      const { fragment } = await administration.invite({
        ...{ org, expiresAtMs, ...whom },
        ...(study === undefined ? {} : { study }),
      });
      return `${origin}/join#${fragment}`;
    },
    context,
  ).catch((cause: unknown) => {
    if (!(cause instanceof RangeError)) throw cause;
    throw new HostError("ERR_CONFIG_INVALID", cause.message, { cause });
  });
  terminal.line(link);
  const many = name === undefined ? `${uses} may join` : `One device may join as ${name}`;
  terminal.note(`${many} until ${new Date(expiresAtMs).toISOString()}. Who has the link can join.`);
  terminal.result({ link, uses: name === undefined ? uses : 1, expiresAtMs });
}

/** Lists invites. */
export async function listInvites(options: AdministratorOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const invites = await administer(options, ({ administration }) => administration.invites(), context);
  for (const { codeDigest, org, names, isOneName, uses, used, expiresAtMs, by, isWithdrawn } of invites) {
    const state = isWithdrawn ? "withdrawn" : expiresAtMs <= Date.now() ? "expired" : "open";
    const whom = isOneName ? names : `${names}-*`;
    const until = new Date(expiresAtMs).toISOString();
    terminal.line(
      `${toHex(codeDigest)}  ${state}  ${org}/${whom}  ${used}/${uses} used  until ${until}  by ${by}`,
    );
  }
  terminal.result({ invites: invites.map((each) => ({ ...each, codeDigest: toHex(each.codeDigest) })) });
}

/** Ends an invite. */
export async function withdrawInvite(
  id: string,
  options: AdministratorOptions & { readonly reason: string },
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const codeDigest = digestFrom(id);
  const detail = await administer(
    options,
    ({ administration }) => administration.withdrawInvite(codeDigest, options.reason),
    context,
  );
  terminal.line(`Withdrawn: ${detail}.`);
  terminal.result({ invite: toHex(codeDigest), detail });
}
