import { messagePortConnection } from "@photinus/core/platform";
import { transportContract } from "@photinus/core/testing/contracts";

transportContract("MessageChannel", () => {
  const { port1, port2 } = new MessageChannel();
  return { client: messagePortConnection(port1), server: messagePortConnection(port2) };
});
