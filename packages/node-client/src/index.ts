export { folderData } from "./data/index.ts";
export { AUDIT_FILE, type AuditFile, type AuditFileOptions, openAuditFile } from "./host/audit-file.ts";
export { eraseNames, readNamedRecords } from "./host/audit-names.ts";
export { dataNamesIn } from "./host/data-names.ts";
export { type NodeSiteModules, type NodeSiteOptions, nodeSite } from "./host/node-site.ts";
export { nodeTransport } from "./host/node-transport.ts";
export { type OidcCredentialModules, oidcCredentials } from "./host/oidc-credentials.ts";
export { type ServerConnectorOptions, serverConnector } from "./host/server-connector.ts";
export { parseSignInSettings, type SignInSettings } from "./host/sign-in-settings.ts";
export {
  type CreateTrainerOptions,
  createTrainer,
  type DeviceChoice,
  type DeviceReport,
  parseDevice,
  probeDevice,
  startNodeTrainer,
} from "./trainer/index.ts";
