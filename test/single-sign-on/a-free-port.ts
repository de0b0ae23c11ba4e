import { type AddressInfo, createServer } from "node:net";

/** A port of loopback that was free a moment ago: for what has to know its address before it listens. */
export async function aFreePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port: free } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return free;
}
