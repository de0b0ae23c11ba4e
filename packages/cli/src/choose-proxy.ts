import { type ProxyEnvironment, parseProxy, proxyFromEnvironment } from "@photinus/node-platform";

/**
 * Which HTTP proxy leads to an address of the server. A password belongs into the environment: arguments of a program are
 * seen by everybody on the machine.
 *
 * @param option address of a proxy for all addresses, "none", or absent: HTTPS_PROXY, HTTP_PROXY and NO_PROXY
 * @throws HostError `ERR_CONFIG_INVALID` when it is no address of a proxy
 */
export function chooseProxy(
  option: string | undefined,
  environment: ProxyEnvironment = process.env,
): (url: string) => string | undefined {
  if (option === undefined) return (url) => proxyFromEnvironment(url, environment);
  if (option === "none") return () => undefined;
  parseProxy(option); // now, not when the first connection is made
  return () => option;
}
