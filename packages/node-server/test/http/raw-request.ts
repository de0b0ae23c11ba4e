import { once } from "node:events";
import { connect } from "node:net";

/** What an upgrade must offer to be taken. */
export const SUBPROTOCOL_HEADER = "Sec-WebSocket-Protocol: photinus.v1";

/** Sends bytes as they are, which fetch would tidy up, and reads the answer to its end. */
export async function rawRequest(port: number, text: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(text);
  let answer = "";
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

/** The head of a WebSocket upgrade with these headers beside the necessary ones. */
export function upgradeRequest(path: string, headers: readonly string[] = []): string {
  return [
    `GET ${path} HTTP/1.1`,
    "Host: 127.0.0.1",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
    "\r\n",
  ].join("\r\n");
}
