import type { JobFeed } from "./job-feed.ts";

/** Name of the event by which an element asks the elements around it for a feed. */
export const FEED_REQUEST: string = "photinus-feed-request";

/**
 * Sent, bubbling and composed, by an element that has no source of its own: a `<photinus-feed>` around it answers,
 * so that any number of elements share one connection.
 */
export class FeedRequest extends Event {
  /** Called at most once, by the nearest provider. */
  readonly answer: (feed: JobFeed) => void;

  constructor(answer: (feed: JobFeed) => void) {
    super(FEED_REQUEST, { bubbles: true, composed: true });
    this.answer = answer;
  }
}
