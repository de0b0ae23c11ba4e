import "@photinus/monitor/define";
import { PhotinusAdministration } from "./administration/photinus-administration.ts";
import { PhotinusKitSignIn } from "./administration/photinus-kit-sign-in.ts";
import { PhotinusDashboard } from "./photinus-dashboard.ts";

customElements.define("photinus-administration", PhotinusAdministration);
customElements.define("photinus-kit-sign-in", PhotinusKitSignIn);
customElements.define("photinus-dashboard", PhotinusDashboard);
