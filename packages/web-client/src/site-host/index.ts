export type { BrowserTrainers } from "./modules.ts";
export { SiteHost } from "./site-host.ts";
