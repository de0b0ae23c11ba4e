import { toHex } from "@photinus/core/bytes";
import { PhotinusError } from "@photinus/core/errors";
import type { Connection } from "@photinus/core/platform";
import { type ConnectOptions, connectSession } from "@photinus/core/session";
import { connectTo } from "../connect-to.ts";
import { type Finding, failedBy, ok, skipped } from "../finding.ts";
import type { Way, WayProbe } from "../way.ts";

/** Do server and participant prove to each other who they are? */
export const login: WayProbe = {
  name: "login",
  async run(way) {
    const { opened, kit } = way.subject;
    if (kit?.configuration.role === "server") return skipped("a server does not log in at itself");
    if (opened === undefined) return skipped("no secret was given");
    try {
      const session = await logIn(way, await connectTo(way), {
        ...{ identity: opened.kit.identity, project: opened.kit.configuration.project },
        ...{ root: opened.kit.root.der, serverName: opened.kit.configuration.server.name },
      });
      return ok(`admitted by ${session} under the root ${toHex(opened.kit.root.digest).slice(0, 16)}…`);
    } catch (error) {
      return refused(error);
    }
  },
};

async function logIn(
  { subject, facts }: Way,
  connection: Connection,
  options: ConnectOptions,
): Promise<string> {
  const session = await connectSession(connection, options, { crypto: subject.crypto, clock: subject.clock });
  session.receive({ routes: [] });
  facts.session = session;
  return session.peer.name;
}

function refused(error: unknown): Finding {
  const isAsked = error instanceof PhotinusError && error.code === "ERR_CREDENTIAL_REQUIRED";
  return isAsked
    ? ok("admitted by certificate; the server then asks for a sign-in at an identity provider")
    : failedBy(error, "ERR_AUTH_FAILED");
}
