import { certificatesFromPem, parseCertificate } from "@photinus/core/pki";
import { endOfEnrolment, KIT_FILE } from "@photinus/core/provision";
import { failed, ok, skipped, warning } from "../finding.ts";
import type { Probe } from "../subject.ts";

/** Can pages join this server, and for how long? */
export const enrolment: Probe = {
  name: "enrolment",
  async run({ kit, files, clock, crypto }) {
    if (kit === undefined) return skipped("the kit is not in order");
    const [der] = certificatesFromPem(files.get(KIT_FILE.enrolmentCertificate) ?? new Uint8Array(0));
    if (der === undefined) return ok("nobody joins by a link: the kit has no enrolment CA");
    const certificate = await parseCertificate(der, { crypto });
    const end = endOfEnrolment(certificate, clock.now());
    if (end === undefined) return ok(`until ${new Date(certificate.notAfterMs).toISOString().slice(0, 10)}`);
    if (clock.now() > certificate.notAfterMs) return failed("ERR_CERTIFICATE_EXPIRED", end.seen, end.remedy);
    return warning(end.seen, end.remedy);
  },
};
