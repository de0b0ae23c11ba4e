import { silentLogger, webCrypto } from "@photinus/core/platform";
import { openIdentityStore } from "./identity-store.ts";
import { SiteHost } from "./site-host/index.ts";
import { type SiteNews, serveSite } from "./site-port/index.ts";
import { systemClock } from "./system-clock.ts";
import { browserTrainers } from "./trainer/index.ts";
import { socketUrl, webSocketConnector } from "./web-socket-connector.ts";

// Entry of the site worker: session, filters, kernels and keys live here; the page is its view.

const clock = systemClock();

/** Calls may come before the store is open: they wait for it. */
const host = openIdentityStore().then(
  (store) =>
    new SiteHost({
      crypto: webCrypto(),
      clock,
      logger: silentLogger,
      connector: webSocketConnector({ url: socketUrl() }, { clock }),
      store,
      trainers: browserTrainers(),
      tell: (news) => tell(news),
    }),
);
host.catch(() => undefined); // each call is answered with the reason

const tell: (news: SiteNews) => void = serveSite(globalThis, {
  open: async (request) => (await host).handlers.open(request),
  check: async (request) => (await host).handlers.check(request),
  useData: async (request) => (await host).handlers.useData(request),
  join: async (request) => (await host).handlers.join(request),
  decide: async (request) => (await host).handlers.decide(request),
  credential: async (request) => (await host).handlers.credential(request),
  inviteDevice: async (request) => (await host).handlers.inviteDevice(request),
  pause: async (request) => (await host).handlers.pause(request),
  resume: async (request) => (await host).handlers.resume(request),
  leave: async (request) => (await host).handlers.leave(request),
});
