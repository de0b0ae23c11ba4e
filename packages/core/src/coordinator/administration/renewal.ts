import { equalBytes, toHex } from "../../bytes/index.ts";
import { PkiError } from "../../errors/index.ts";
import { renewalRequest, renewed } from "../../message/index.ts";
import { parseCertificate } from "../../pki/index.ts";
import { type MessageRoute, on } from "../../session/index.ts";
import type { AdministrationModules } from "./options.ts";

/** The next certificate for the key of a session: only what the enrolment CA issued is renewed here. */
export function renewalRoute({ crypto, enrolment, audit }: AdministrationModules): MessageRoute {
  return on(renewalRequest, async ({ leaf: digest }, { messageId: inReplyTo }, session) => {
    if (!equalBytes(digest, session.peer.leafDigest)) {
      throw new PkiError("ERR_REQUEST_UNKNOWN", "a site renews the certificate of its session");
    }
    const [leaf, authority] = session.peer.chain;
    if (leaf === undefined || authority === undefined || enrolment === undefined) {
      throw new PkiError("ERR_REQUEST_UNKNOWN", "the certificate of a kit is renewed by provisioning again");
    }
    const { publicKey } = await parseCertificate(leaf, { crypto });
    const { chain, leafDigest, notAfterMs } = await enrolment.renew(publicKey.spki);
    await audit.record({
      actor: `${toHex(session.peer.leafDigest)} ${session.peer.name}`,
      action: "renew",
      object: session.peer.name,
      outcome: "done",
      details: { leaf: toHex(leafDigest), notAfterMs },
    });
    await session.send(renewed, { chain }, { inReplyTo });
  });
}
