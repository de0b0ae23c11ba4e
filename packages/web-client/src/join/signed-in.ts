import { PhotinusSignedIn } from "./photinus-signed-in.ts";

// Entry of the tab that comes back from the identity provider.
customElements.define("photinus-signed-in", PhotinusSignedIn);
