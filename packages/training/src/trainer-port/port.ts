/** One end of a channel to or from a worker. Messages are structured clones; listed memory moves to the other side. */
export interface TrainerPort {
  /** Sends `message`; the buffers in `transfer` are no longer usable here. A no-op once closed. */
  post(message: unknown, transfer: readonly ArrayBuffer[]): void;
  /** Receives every message from here on; called once per port. */
  listen(receive: (message: unknown) => void): void;
  /** Ends the channel. */
  close(): void;
}

/** What `MessagePort` has in pages and in Node. */
export interface MessagePortLike {
  /** Sends a message. */
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  /** Registers for messages. */
  addEventListener(type: "message", listener: (event: object) => void): void;
  /** Begins delivery. */
  start(): void;
  /** Ends the channel. */
  close(): void;
}

/** A {@link TrainerPort} over a `MessagePort`. */
export function overMessagePort(port: MessagePortLike): TrainerPort {
  return {
    post: (message, transfer) => port.postMessage(message, [...transfer]),
    listen: (receive) => {
      port.addEventListener("message", (event) => receive("data" in event ? event.data : undefined));
      port.start();
    },
    close: () => port.close(),
  };
}
