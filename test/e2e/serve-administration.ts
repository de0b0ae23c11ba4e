import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argv, stdout } from "node:process";
import { toHex } from "@photinus/core/bytes";
import { createProject, openKit } from "@photinus/core/provision";
import { nodeCrypto, pinoLogger, systemClock, writeKitFolder, writeKitZip } from "@photinus/node-platform";
import { openStorage, PhotinusServer } from "@photinus/node-server";

// Run by the end-to-end tests in a process of its own: a server with its pages, and an administrator's kit in the folder
// that the first argument names. It prints where all of it is, and ends with its standard input.

const [, , folder = "", pages = ""] = argv;
const crypto = nodeCrypto();
const clock = systemClock();
const project = await createProject(
  {
    name: "trial",
    server: { name: "hub", org: "clinic", hosts: ["127.0.0.1"], port: 8443 },
    sites: [{ name: "site-1", org: "clinic", security: "clear" }],
    users: [{ name: "admin@example.org", role: "project_admin", org: "clinic" }],
  },
  { crypto, clock },
);
const [hub, admin] = [project.kits.get("hub"), project.kits.get("admin@example.org")];
if (hub === undefined || admin === undefined) throw new Error("the project has both kits");
await writeKitFolder(join(folder, "admin"), admin.files);
await writeFile(join(folder, "admin.zip"), writeKitZip("admin", admin.files));
await writeFile(join(folder, "admin.secret"), admin.secret);
const kit = await openKit(hub.files, { nowMs: clock.now(), secret: hub.secret }, { crypto });
const storage = await openStorage({ folder: join(folder, "state") }, { crypto });
const server = new PhotinusServer(
  { kit, host: "127.0.0.1", port: 0, pages: Promise.resolve(pages) },
  { storage, clock, crypto, logger: pinoLogger({ name: "server", level: "silent" }) },
);
const { origin, socketUrl } = await server.start();
const fingerprint = toHex(project.root.fingerprint);
stdout.write(`${JSON.stringify({ origin, socketUrl, fingerprint, secret: admin.secret })}\n`);
process.stdin.once("end", () => void server.stop().then(() => storage.close())).resume();
