/** What the receiver of a fault does. */
export type ErrorAction = "reject" | "drop" | "close" | "back-off" | "stop";

/** One line of the registry of errors. */
export interface ErrorDefinition {
  /** Number that crosses the wire (docs/WIRE-PROTOCOL.md, errors); absent for local errors. */
  readonly wire?: number;
  /** What the receiver does. */
  readonly action: ErrorAction;
  /** What a person does about it: one imperative sentence. */
  readonly remedy: string;
}
