export type {
  BrowserDevice,
  DeviceReport,
  DeviceTrial,
  Invitation,
  Proposal,
  SiteCall,
  SiteCalls,
  SiteDataFiles,
  SiteNews,
} from "./contract.ts";
export { nonceSchema, tokenSchema } from "./schema.ts";
export { type SiteHandlers, serveSite } from "./serve-site.ts";
export { SiteCallError, type SiteClient, siteClient } from "./site-client.ts";
