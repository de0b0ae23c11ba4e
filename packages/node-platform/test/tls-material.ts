import { issueParticipant, issueRoot, type Role, requireName, subjectOf } from "@photinus/core/pki";
import { nodeCrypto, pem, type TlsIdentity, tlsIdentity } from "@photinus/node-platform";

/** A project's root, and what it issues for TLS. */
export interface TlsMaterial {
  /** PEM. */
  readonly root: string;
  /** A certificate of the root with its key; `hosts` for a server. */
  readonly issue: (role: Role, name: string, hosts?: readonly string[]) => Promise<TlsIdentity>;
}

/** A fresh authority. */
export async function tlsMaterial(): Promise<TlsMaterial> {
  const crypto = nodeCrypto();
  const project = requireName("test", "the project");
  const rootKey = await crypto.generateSigningKey(3);
  const root = await issueRoot({ project, key: rootKey, nowMs: Date.now() }, { crypto });
  return {
    root: pem("CERTIFICATE", root.der),
    async issue(role, name, hosts) {
      const key = await crypto.generateSigningKey(1, { extractable: true });
      const subject = subjectOf(project, role, name);
      if (subject === undefined) throw new Error(`${name} is no name`);
      const leaf = await issueParticipant(
        {
          subject,
          org: project,
          publicKey: key.publicKey,
          nowMs: Date.now(),
          ...(hosts === undefined ? {} : { hosts }),
        },
        { certificate: root, key: rootKey },
        { crypto },
      );
      return tlsIdentity([leaf.der], await crypto.exportSigningKey(key));
    },
  };
}
