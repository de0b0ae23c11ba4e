import type { Bytes } from "@photinus/core/bytes";
import type { Connection, Connector } from "@photinus/core/platform";

/** What somebody on the way does to one frame: the frames that go on in its place. @param index from 0 in its direction */
export type Meddling = (frame: Bytes, index: number) => readonly Bytes[];

/** Which way is meddled with. */
export interface MiddleOptions {
  readonly toServer?: Meddling;
  readonly toClient?: Meddling;
}

/** Somebody between client and server who sees every frame in both directions. */
export function inTheMiddle(connector: Connector, options: MiddleOptions): Connector {
  return {
    async connect(signal) {
      return meddledWith(await connector.connect(signal), options);
    },
  };
}

function meddledWith(connection: Connection, { toServer, toClient }: MiddleOptions): Connection {
  let sent = 0;
  async function* received(): AsyncGenerator<Bytes, void, void> {
    let index = 0;
    for await (const frame of connection.frames) yield* toClient?.(frame, index++) ?? [frame];
  }
  return {
    remoteAddress: connection.remoteAddress,
    get bufferedBytes() {
      return connection.bufferedBytes;
    },
    frames: { [Symbol.asyncIterator]: received },
    ended: connection.ended,
    send(frame) {
      for (const part of toServer?.(frame, sent++) ?? [frame]) connection.send(part);
    },
    drained: () => connection.drained(),
    close: (closeCode, reason) => connection.close(closeCode, reason),
  };
}

/** The same frame with one bit of one byte turned. */
export function flipped(frame: Bytes, position: number): Bytes {
  const altered = Uint8Array.from(frame);
  altered[position] = (altered[position] ?? 0) ^ 1;
  return altered;
}
