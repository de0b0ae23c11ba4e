import { networkInterfaces } from "node:os";

/** Where a demo listens and under which names it is reached. */
export interface DemoNetwork {
  /** Address to listen at. */
  readonly host: string;
  /** Names and addresses for the server's certificate, the one for links first. */
  readonly hosts: readonly string[];
  readonly security: "tls" | "clear";
}

function lanAddresses(): readonly string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ family, internal }) => family === "IPv4" && !internal)
    .map(({ address }) => address);
}

/** Loopback in clear; or, for the network, every address by TLS: a page off loopback needs it to have WebCrypto. */
export function demoNetwork(isLan: boolean): DemoNetwork {
  if (!isLan) return { host: "127.0.0.1", hosts: ["127.0.0.1", "localhost"], security: "clear" };
  return { host: "0.0.0.0", hosts: [...lanAddresses(), "127.0.0.1", "localhost"], security: "tls" };
}
