import "@photinus/monitor/define";
import { PhotinusDashboard } from "./photinus-dashboard.ts";

customElements.define("photinus-dashboard", PhotinusDashboard);
