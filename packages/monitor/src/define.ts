import { PhotinusFeed } from "./photinus-feed.ts";
import { PhotinusJobStatus } from "./photinus-job-status.ts";
import { PhotinusRoundChart } from "./photinus-round-chart.ts";
import { PhotinusRoundTimeline } from "./photinus-round-timeline.ts";
import { PhotinusSites } from "./photinus-sites.ts";

// The feed first: it must be there when the elements inside it ask for it.
customElements.define("photinus-feed", PhotinusFeed);
customElements.define("photinus-job-status", PhotinusJobStatus);
customElements.define("photinus-round-chart", PhotinusRoundChart);
customElements.define("photinus-round-timeline", PhotinusRoundTimeline);
customElements.define("photinus-sites", PhotinusSites);

declare global {
  interface HTMLElementTagNameMap {
    /** Reads the observations of a job for the elements inside. */
    "photinus-feed": PhotinusFeed;
    /** Where the job stands. */
    "photinus-job-status": PhotinusJobStatus;
    /** Loss and accuracy by round. */
    "photinus-round-chart": PhotinusRoundChart;
    /** What each site did in each round. */
    "photinus-round-timeline": PhotinusRoundTimeline;
    /** The sites and where they stand. */
    "photinus-sites": PhotinusSites;
  }
}
