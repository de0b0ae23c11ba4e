/** What the receiver of a fault does. */
export type ErrorAction = "reject" | "drop" | "close" | "back-off" | "stop";

/** What programs do about an error. */
export interface ErrorHandling {
  /** Number that crosses the wire (docs/WIRE-PROTOCOL.md, errors); absent for local errors. */
  readonly wire?: number;
  /** What the receiver does. */
  readonly action: ErrorAction;
}

/** One line of the registry of errors. */
export interface ErrorDefinition extends ErrorHandling {
  /** What a person does about it: one imperative sentence. */
  readonly remedy: string;
}
