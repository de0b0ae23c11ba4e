// In Node only: there a port tells when its other side is gone; not every browser does.
import { messagePortConnection } from "@photinus/core/platform";
import { expect, test } from "vitest";

test("ends with 1006 when the other side vanishes without a word", async () => {
  const { port1, port2 } = new MessageChannel();
  const connection = messagePortConnection(port1);
  const drained = (async () => {
    connection.send(new Uint8Array(2_000_000));
    await connection.drained();
  })();

  port2.close();

  expect((await connection.ended).closeCode).toBe(1006);
  await drained;
});
