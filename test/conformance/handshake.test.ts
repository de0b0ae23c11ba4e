import { describe, expect, test } from "vitest";
import { readFields } from "./fields.ts";
import { labelled, prologueOf, readFrame, writeFrame } from "./frame.ts";
import { handshake } from "./handshake-vectors.ts";
import { Noise } from "./noise.ts";
import { people, server, site } from "./people.ts";
import { agreementKey, isSigned, sha256 } from "./primitives.ts";
import { hex, required } from "./vectors.ts";

function sideOf(isInitiator: boolean): Noise {
  const { staticPrivateKey, ephemeralPrivateKey } = isInitiator ? handshake.client : handshake.server;
  const own = { s: agreementKey(hex(staticPrivateKey)), e: agreementKey(hex(ephemeralPrivateKey)) };
  return new Noise(isInitiator, prologueOf(people.project), own);
}

describe("the handshake", () => {
  test("goes byte for byte as published, on both sides, to the keys of the session", () => {
    const [client, hub] = [sideOf(true), sideOf(false)];

    for (const { kind, from, frame, hash, payload } of handshake.messages) {
      const [writer, reader] = from === "client" ? [client, hub] : [hub, client];
      const received = readFrame(hex(frame));
      const tokens = writer.writeTokens();
      const rest = reader.readTokens(received.payload);
      expect(reader.hash.toString("hex")).toBe(hash);
      expect(reader.readPayload(rest).toString("hex")).toBe(payload);
      const message = Buffer.concat([tokens, writer.writePayload(hex(payload))]);
      expect(writeFrame(kind, { payload: message }).toString("hex")).toBe(frame);
    }

    expect(hub.hash.toString("hex")).toBe(handshake.sid);
    expect(client.split().map((key) => key.toString("hex"))).toEqual([
      handshake.clientToServerKey,
      handshake.serverToClientKey,
    ]);
  });

  test("both signatures are over h and the payload without them", () => {
    const [, second, third] = handshake.messages.map(({ hash, payload }) => ({
      h: hex(hash),
      payload: hex(payload),
    }));
    // P is what stands before the signature, in an array of one position fewer, and what stands behind it.
    const [serverAlgorithm, serverSignature] = readFields(required(second).payload, (at) => {
      at.integer();
      at.list((versions) => versions.integer());
      at.list((chain) => chain.bytes());
      at.bytes();
      at.nullable((list) => list.bytes());
      return [at.integer(3, 1), at.bytes()] as const;
    });
    const before = required(second).payload.subarray(
      1,
      required(second).payload.length - serverSignature.length - 2,
    );
    const serverPart = Buffer.concat([Buffer.of(0x96), before]);
    const serverSigned = labelled("server", required(second).h, sha256(serverPart));
    expect(isSigned(server.key, serverAlgorithm, serverSignature, serverSigned)).toBe(true);

    const [clientAlgorithm, clientSignature] = readFields(required(third).payload, (at) => {
      at.list((chain) => chain.bytes());
      at.nullable((request) => request.bytes());
      at.nullable((code) => code.bytes(16));
      const signed = [at.integer(3, 1), at.bytes()] as const;
      at.nullable((credential) => credential.bytes());
      at.nullable((exporter) => exporter.bytes(32));
      return signed;
    });
    const { payload } = required(third);
    const end = payload.length - 2; // two nils behind the signature
    const clientPart = Buffer.concat([
      Buffer.of(0x96),
      payload.subarray(1, end - clientSignature.length - 2),
      payload.subarray(end),
    ]);
    const clientSigned = labelled("client", required(third).h, sha256(clientPart));
    expect(isSigned(site.key, clientAlgorithm, clientSignature, clientSigned)).toBe(true);
    expect(isSigned(site.key, clientAlgorithm, clientSignature, labelled("server", clientSigned))).toBe(
      false,
    );
  });
});
