/** A condition of docs/WIRE-PROTOCOL.md that does not hold. */
export class Refused extends Error {
  /** Number of the code. */
  readonly code: number;

  constructor(code: number, why: string) {
    super(why);
    this.code = code;
  }
}

/** Ends with `code` unless `condition` holds. */
export function demand(condition: boolean, code: number, why: string): asserts condition {
  if (!condition) throw new Refused(code, why);
}
