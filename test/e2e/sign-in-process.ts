import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { aServer } from "../single-sign-on/a-server.ts";
import { DASHBOARD_CLIENT, DASHBOARD_SECRET, identityProvider } from "../single-sign-on/identity-provider.ts";

// A server with the built pages and a real identity provider, until standard input ends. Prints its origin.

const probe = createServer().listen(0, "127.0.0.1");
await new Promise((resolve) => probe.once("listening", resolve));
const address = probe.address();
if (address === null || typeof address === "string") throw new Error("no port");
const { port } = address;
await new Promise((resolve) => probe.close(resolve));

const origin = `http://127.0.0.1:${port}`;
const provider = await identityProvider({ redirectUris: [`${origin}/auth/signed-in`] });
const server = await aServer(
  {
    dashboard: {
      issuer: provider.issuer,
      clientId: DASHBOARD_CLIENT,
      origin,
      scopes: ["email", "groups"],
      users: [{ claims: { groups: ["fl-admins"] }, role: "project_admin", org: "demo" }],
    },
  },
  {
    port,
    dashboardSecret: DASHBOARD_SECRET,
    pages: join(fileURLToPath(new URL("../../", import.meta.url)), "packages/web-client/dist/app"),
  },
);
process.stdout.write(`${JSON.stringify({ origin, issuer: provider.issuer })}\n`);
process.stdin.resume().once("end", () => {
  void Promise.all([server.stop(), provider.stop()]).then(() => process.exit(0));
});
