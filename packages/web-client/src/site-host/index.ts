export type { BrowserTrainers, SiteHostModules } from "./modules.ts";
export { SiteHost } from "./site-host.ts";
