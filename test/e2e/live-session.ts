import { join } from "node:path";
import { argv, stdout } from "node:process";
import { connect } from "@photinus/core/console";
import { nodeCrypto, systemClock, webSocketConnector } from "@photinus/node-platform";
import { openSiteFolder } from "../../packages/cli/src/commands/open-kit-folder.ts";

// Run by the end-to-end tests in a process of its own: connects as the site whose folder the first argument names, says so,
// and prints the code with which the server ends the session.

const [, , kitFolder = "", url = ""] = argv;
const passphraseFile = join(kitFolder, "local", "secret");
const { kit } = await openSiteFolder({ kit: kitFolder, passphraseFile });
const { project, server } = kit.configuration;
const federation = await connect(
  { identity: kit.identity, project, root: kit.root.der, serverName: server.name },
  { connector: webSocketConnector({ url }), clock: systemClock(), crypto: nodeCrypto() },
);
stdout.write("connected\n");
const { code } = await federation.ended;
stdout.write(`${code}\n`);
