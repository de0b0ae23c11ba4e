import { type Bytes, equalBytes } from "../bytes/index.ts";
import type { PositionalReader } from "../decomposer/index.ts";

/** Longest name, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 128;

/** 0: client to server, 1: server to client. */
export type Direction = 0 | 1;

/** What binds a signed header to one direction of one session. */
export interface Route {
  /** Name of the project. */
  readonly project: string;
  /** Name of the author. */
  readonly from: string;
  /** Name of the receiver. */
  readonly to: string;
  /** Id of the session: 32 bytes. */
  readonly sid: Bytes;
  /** Which side of the session sent it. */
  readonly direction: Direction;
}

/** The five positions of a route. */
export function readRoute(reader: PositionalReader): Route {
  return {
    project: reader.text(MAX_NAME_BYTES, 1),
    from: reader.text(MAX_NAME_BYTES, 1),
    to: reader.text(MAX_NAME_BYTES, 1),
    sid: reader.bin(32),
    direction: reader.uint(1) === 0 ? 0 : 1,
  };
}

/** True when both are of the same people, session and direction. */
export function isSameRoute(left: Route, right: Route): boolean {
  return (
    left.project === right.project &&
    left.from === right.from &&
    left.to === right.to &&
    equalBytes(left.sid, right.sid) &&
    left.direction === right.direction
  );
}
