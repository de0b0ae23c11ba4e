import { vectors } from "./vectors.ts";

interface Secrets {
  readonly staticPrivateKey: string;
  readonly ephemeralPrivateKey: string;
}
/** handshake.json */
export interface HandshakeVectors {
  readonly prologue: string;
  readonly client: Secrets;
  readonly server: Secrets;
  readonly messages: readonly {
    readonly kind: number;
    readonly from: "client" | "server";
    readonly frame: string;
    readonly hash: string;
    readonly payload: string;
  }[];
  readonly sid: string;
  readonly clientToServerKey: string;
  readonly serverToClientKey: string;
}
/** The published handshake. */
export const handshake = vectors<HandshakeVectors>("handshake");
