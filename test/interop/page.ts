import { webCrypto } from "@photinus/core/platform";
import { createParty } from "./party.ts";

// Loaded into a page: what it can do hangs on `window` for the test.
Object.assign(globalThis, { createParty: (initiator: boolean) => createParty(webCrypto(), initiator) });
