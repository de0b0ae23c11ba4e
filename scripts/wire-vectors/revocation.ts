import { toHex } from "../../packages/core/src/bytes/index.ts";
import {
  issueRevocationList,
  parseCertificate,
  REVOCATION_LIFETIME_MS,
  type RevocationList,
} from "../../packages/core/src/pki/index.ts";
import { NOW_MS, participants } from "./participants.ts";

const described = ({ der, number, thisUpdateMs, nextUpdateMs, entries }: RevocationList): object => ({
  number,
  thisUpdateMs,
  nextUpdateMs,
  revokedSerialNumbers: [...entries.keys()],
  list: toHex(der),
});

/** The lists of root and enrolment CA. */
export async function revocationVectors(): Promise<object> {
  const { fixed, project, enrolledSite } = await participants();
  const { root, enrolmentCa } = project;
  const { crypto } = fixed;
  const [leaf] = enrolledSite.participant.chain;
  if (leaf === undefined) throw new RangeError("a participant has a certificate");
  const { serialNumber } = await parseCertificate(leaf, { crypto });
  const times = { nowMs: NOW_MS, revoked: [] };
  const ofRoot = { ...times, number: 7, lifetimeMs: REVOCATION_LIFETIME_MS.root };
  const ofEnrolment = {
    ...times,
    number: 12,
    lifetimeMs: REVOCATION_LIFETIME_MS.enrolment,
    revoked: [{ serialNumber, revokedAtMs: NOW_MS, reason: "keyCompromise" as const }],
  };
  return {
    about:
      "Revocation lists (DER): of the root, with nothing in it, and of the enrolment CA, which has revoked the enrolled site of participants.json.",
    root: described(await issueRevocationList(ofRoot, root, { crypto })),
    enrolment: described(await issueRevocationList(ofEnrolment, enrolmentCa, { crypto })),
  };
}
