import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { aFreePort } from "../single-sign-on/a-free-port.ts";
import { aServer } from "../single-sign-on/a-server.ts";
import {
  DASHBOARD_CLIENT,
  DASHBOARD_SECRET,
  identityProvider,
  JOIN_CLIENT,
} from "../single-sign-on/identity-provider.ts";

// A server with the built pages and a real identity provider, until standard input ends. Prints its origin and a join link.

const port = await aFreePort();
const origin = `http://127.0.0.1:${port}`;
const provider = await identityProvider({
  redirectUris: [`${origin}/auth/signed-in`],
  joinRedirectUris: [`${origin}/join/signed-in`],
});
const server = await aServer(
  {
    login: [
      { issuer: provider.issuer, audience: [JOIN_CLIENT], roles: ["site"], allow: { groups: ["fl-sites"] } },
    ],
    joinPage: { issuer: provider.issuer, clientId: JOIN_CLIENT, origin, scopes: ["groups"] },
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
const fragment = await server.server.invite({ org: "demo", uses: 4, expiresAtMs: Date.now() + 3_600_000 });
process.stdout.write(`${JSON.stringify({ origin, join: `${origin}/join#${fragment}` })}\n`);
process.stdin.resume().once("end", () => {
  void Promise.all([server.stop(), provider.stop()]).then(() => process.exit(0));
});
