import { PhotinusRoundChart } from "@photinus/monitor";

/** Makes `<photinus-round-chart>` known. A script of its own: there is nothing to draw before the first round. */
export function defineChart(): void {
  const name = "photinus-round-chart";
  if (customElements.get(name) === undefined) customElements.define(name, PhotinusRoundChart);
}
