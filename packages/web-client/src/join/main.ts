import type { BrowserDevice } from "../site-port/index.ts";
import { siteClient } from "../site-port/index.ts";
import { PhotinusExample } from "./example-picture.ts";
import { takeLink } from "./join-link.ts";
import { PhotinusJoin } from "./photinus-join.ts";

customElements.define("photinus-example", PhotinusExample);
customElements.define("photinus-join", PhotinusJoin);

const page = document.querySelector("photinus-join");
if (page instanceof PhotinusJoin) {
  page.modules = {
    startSite: (onNews) => {
      drawCurve().catch(() => undefined); // the figures say the same
      return siteClient(
        new Worker(new URL("../site-worker.ts", import.meta.url), { type: "module", name: "site" }),
        onNews,
      );
    },
    fragment: takeLink(location, history, sessionStorage),
    device: chosenDevice(new URLSearchParams(location.search).get("device")),
  };
}

async function drawCurve(): Promise<void> {
  const { defineChart } = await import("./define-chart.ts");
  defineChart();
}

function chosenDevice(name: string | null): BrowserDevice | "fastest" {
  return name === "webgpu" || name === "wasm" ? name : "fastest";
}
