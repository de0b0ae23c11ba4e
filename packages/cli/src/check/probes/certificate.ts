import { PhotinusError } from "@photinus/core/errors";
import { verifyChain } from "@photinus/core/pki";
import { failed, failedBy, ok, skipped } from "../finding.ts";
import type { Probe, Subject } from "../subject.ts";

/** Who the certificate is of, and whether its key is there. */
export const certificate: Probe = {
  name: "certificate",
  async run(subject) {
    const { opened, clock, crypto } = subject;
    if (opened === undefined) return notOpened(subject);
    const { identity, root, configuration } = opened.kit;
    const usage = configuration.role === "server" ? "server" : "client";
    try {
      const expected = { root: root.der, project: configuration.project, usage, nowMs: clock.now() } as const;
      const { participant, notAfterMs } = await verifyChain(identity.participant.chain, expected, { crypto });
      const until = new Date(notAfterMs).toISOString().slice(0, 10);
      const mode = participant.mutualTls ? ", admitted by mtls only" : "";
      return ok(`${participant.name} of ${participant.org}, until ${until}${mode}`);
    } catch (error) {
      return failedBy(error, "ERR_CERTIFICATE_UNTRUSTED");
    }
  },
};

function notOpened({ kit, openError }: Subject): ReturnType<typeof skipped> {
  if (kit === undefined) return skipped("the kit is not in order");
  if (openError === undefined) {
    return skipped("no secret was given: --passphrase-fd or --passphrase-file opens the keys");
  }
  return openError instanceof PhotinusError
    ? failedBy(openError, "ERR_KEY_UNREADABLE")
    : failed("ERR_KEY_UNREADABLE", "the keys of the kit cannot be opened");
}
