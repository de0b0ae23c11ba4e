import { type AuditHead, openAuditEvidence, verifyChain, witnessedBy } from "@photinus/core/audit";
import { equalBytes } from "@photinus/core/bytes";
import { EnvelopeError, HostError, PhotinusError } from "@photinus/core/errors";
import { algorithmOf, certificatesFromPem, parseCertificate } from "@photinus/core/pki";
import type { AuditRecord, VerifyingKey } from "@photinus/core/platform";
import { readNamedRecords } from "@photinus/node-client";
import { nodeCrypto, readSmallFile } from "@photinus/node-platform";

/** A chain in PEM is far smaller, bytes. */
const MAX_CERTIFICATE_FILE_BYTES = 65_536;

/** Which heads are taken. */
export interface WitnessOptions {
  /** Export of the other side. */
  readonly witness: string;
  /** Whose heads; may be left out when the file witnesses one chain only. */
  readonly name?: string;
  /** PEM files with certificates of the one whose heads they are: their signatures are then verified. */
  readonly certificate?: readonly string[];
}

type Witnessed = NonNullable<ReturnType<typeof witnessedBy>>;

/**
 * The heads of one chain that an export of another one holds.
 * @throws AuditBrokenError when that export is broken itself; HostError `ERR_CONFIG_INVALID` when it witnesses several
 *   chains or none of that name; EnvelopeError `ERR_ENVELOPE_SIGNATURE_INVALID`
 */
export async function witnessedHeads({
  witness,
  name,
  certificate,
}: WitnessOptions): Promise<readonly AuditHead[]> {
  const all = await headsIn(witness);
  const names = [...new Set(all.map((head) => head.name))].sort();
  const [first] = names;
  if (first === undefined) throw new HostError("ERR_CONFIG_INVALID", `${witness} witnesses no chain`);
  if (name === undefined && names.length > 1) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      `${witness} witnesses several chains: --name ${names.join(", ")}`,
    );
  }
  const heads = all.filter((head) => head.name === (name ?? first));
  if (heads.length === 0)
    throw new HostError("ERR_CONFIG_INVALID", `${witness} witnesses no chain of ${name}`);
  if (certificate !== undefined) await requireSigned(heads, certificate);
  return heads;
}

async function headsIn(file: string): Promise<readonly Witnessed[]> {
  const heads: Witnessed[] = [];
  const collect = async function* (): AsyncGenerator<AuditRecord, void, void> {
    for await (const record of readNamedRecords(file)) {
      const head = witnessedBy(record);
      if (head !== undefined) heads.push(head);
      yield record;
    }
  };
  await verifyChain(nodeCrypto(), collect());
  return heads;
}

async function requireSigned(heads: readonly Witnessed[], files: readonly string[]): Promise<void> {
  const keys = await Promise.all(files.map(keyOf));
  for (const head of heads) {
    const isSigned = await Promise.any(keys.map((key) => requireSignedBy(head, key))).catch(() => false);
    if (!isSigned) {
      const text = `head ${head.count} of ${head.name} is not signed by a certificate that was given`;
      throw new EnvelopeError("ERR_ENVELOPE_SIGNATURE_INVALID", text);
    }
  }
}

/** @throws PhotinusError unless `key` signed this very head */
async function requireSignedBy({ object, count, hash }: Witnessed, key: VerifyingKey): Promise<true> {
  const evidence = await openAuditEvidence(object, key, nodeCrypto());
  const isSame = evidence.count === count && equalBytes(evidence.hash, hash);
  if (!isSame) throw new EnvelopeError("ERR_ENVELOPE_SIGNATURE_INVALID", "another head was signed");
  return true;
}

async function keyOf(path: string): Promise<VerifyingKey> {
  const crypto = nodeCrypto();
  try {
    const [der] = certificatesFromPem(await readSmallFile(path, MAX_CERTIFICATE_FILE_BYTES));
    if (der === undefined) throw new HostError("ERR_CONFIG_INVALID", `${path} holds no certificate`);
    const { publicKey } = await parseCertificate(der, { crypto });
    return await crypto.importVerifyingKey(publicKey.spki, algorithmOf(publicKey));
  } catch (cause) {
    if (cause instanceof PhotinusError) throw cause;
    throw new HostError("ERR_CONFIG_INVALID", `${path} cannot be read`, { cause });
  }
}
