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
const connector = webSocketConnector({ url });
const transport = { connector, clock: systemClock(), crypto: nodeCrypto() };
const federation = await connect({ kit, transport });
stdout.write("connected\n");
const { code } = await federation.ended;
stdout.write(`${code}\n`);
