import type { Bytes } from "../bytes/index.ts";
import type { ContributionBody, EvaluationResult } from "../message/index.ts";
import type { Session } from "../session/index.ts";
import type { StreamSource } from "../stream/index.ts";

/** An update that was trained and is kept until the server has committed it. */
export interface Held {
  /** What announces it. */
  readonly body: ContributionBody;
  /** Its bytes. */
  readonly source: StreamSource;
  /** The same each time it is sent: 16 bytes. */
  readonly messageId: Bytes;
  /** The session that it was last sent over. */
  session: Session | undefined;
  /** Called once it is committed: what the site keeps of its own follows. */
  readonly onCommitted: (() => Promise<void>) | undefined;
  /** Ends the sending: the server has answered. */
  sending: AbortController;
}

/** What was measured for an `evaluate` task, kept until the server has answered. */
export interface HeldEvaluation {
  /** What is sent. */
  readonly body: EvaluationResult;
  /** The same each time it is sent: 16 bytes. */
  readonly messageId: Bytes;
  /** The session that it was last sent over. */
  session: Session | undefined;
}
