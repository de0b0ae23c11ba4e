import type { Session } from "../session/index.ts";
import type { StatusBoard } from "./status-board.ts";

/** Shows how many bytes a site has sent and received, over all its sessions. */
export class SessionTraffic {
  readonly #board: StatusBoard;
  /** Of the sessions before the present one. */
  #earlier = { sentBytes: 0, receivedBytes: 0 };

  constructor(board: StatusBoard) {
    this.#board = board;
  }

  /** Counts the present session anew. */
  count({ traffic }: Session): void {
    this.#board.update({
      bytesUp: this.#earlier.sentBytes + traffic.sentBytes,
      bytesDown: this.#earlier.receivedBytes + traffic.receivedBytes,
    });
  }

  /** The session has ended: the next one counts on. */
  ended(session: Session): void {
    this.count(session);
    const { bytesUp: sentBytes, bytesDown: receivedBytes } = this.#board.status;
    this.#earlier = { sentBytes, receivedBytes };
  }
}
