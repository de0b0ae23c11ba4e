import { join } from "node:path";
import { equalBytes, toHex } from "@photinus/core/bytes";
import { HostError, ProvisionError } from "@photinus/core/errors";
import {
  formatFingerprint,
  type OpenedKitRequest,
  openKitRequest,
  signRequest,
} from "@photinus/core/provision";
import { nodeCrypto, readSmallFile, systemClock } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";
import { askConfirmation } from "../project/ask-secret.ts";
import { openProjectFolder, openRoot, PROJECT_FILE, type RootKeyOptions } from "../project/project-folder.ts";
import { readProjectDefinition } from "../project/read-definition.ts";
import { informServer, writeUpdate } from "../project/write-update.ts";
import { digestFrom } from "./administer.ts";

/** Options of `photinus cert sign`. */
export interface SignRequestOptions extends RootKeyOptions {
  /** Folder that `photinus provision` made. */
  readonly project: string;
  /** `project.yml`. */
  readonly definition: string;
  /** What the requester read out. */
  readonly fingerprint?: string;
  /** Makes a zip file of the kit too. */
  readonly zip?: boolean;
  /** Kit folder of the server, when it is on this machine: list and machines are put where it looks. */
  readonly kit?: string;
}

/** Two requests of 8 KiB in PEM. */
const MAX_REQUEST_BYTES = 32_768;

/**
 * Signs a request by the root's key, once its fingerprint was compared: makes a kit without private keys, as the definition
 * has the participant.
 *
 * @param file request, as `photinus cert request` made it
 * @throws PkiError `ERR_REQUEST_MALFORMED`, `ERR_CERTIFICATE_UNSUPPORTED`, `ERR_CERTIFICATE_SIGNATURE`; ProvisionError
 *   `ERR_REQUEST_DIFFERS`, `ERR_PARTICIPANT_UNKNOWN`; HostError `ERR_CONFIG_INVALID`
 */
export async function signKitRequest(
  file: string,
  options: SignRequestOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const request = await openKitRequest(await readSmallFile(file, MAX_REQUEST_BYTES), {
    crypto: nodeCrypto(),
  });
  const definition = await readProjectDefinition(options.definition);
  const folder = await openProjectFolder(options.project);
  const { name, org, role, fingerprint, publicKey } = request;
  terminal.note(`${role} ${name} of ${org}, key ${publicKey.kind}`);
  terminal.note(`Fingerprint: ${formatFingerprint(fingerprint)}`);
  await requireCompared(request, options, terminal.isJson);
  const { issuer, crypto } = await openRoot(folder, options);
  const existing = { root: issuer, latest: folder.latest, state: folder.state };
  const signed = await signRequest(definition, { existing, request }, { crypto, clock: systemClock() });
  const kits = new Map([[name, signed.kit]]);
  await writeUpdate(folder, { ...signed, kits, removed: new Map() }, options);
  await informServer(options.kit, signed);
  const kit = join(options.project, PROJECT_FILE.kits, name);
  terminal.line(`Kit of ${name}, which holds no private key: ${kit}`);
  terminal.line(`Its owner puts it together by: photinus cert install KIT -o FOLDER --root-fingerprint …`);
  if (signed.revocationList !== undefined && options.kit === undefined) {
    terminal.line(`Copy ${PROJECT_FILE.list} of ${options.project} to local/ in the server's kit.`);
  }
  terminal.result({
    ...{ name, org, role, kit, fingerprint: toHex(fingerprint) },
    ...(signed.revocationList === undefined ? {} : { revocationList: signed.revocationList.number }),
  });
}

async function requireCompared(
  { fingerprint, name }: OpenedKitRequest,
  { fingerprint: told }: SignRequestOptions,
  isJson: boolean,
): Promise<void> {
  if (told !== undefined) {
    if (equalBytes(digestFrom(told), fingerprint)) return;
    throw new ProvisionError(
      "ERR_REQUEST_DIFFERS",
      `the request of ${name} has another fingerprint than was told`,
    );
  }
  const answer = isJson ? undefined : await askConfirmation(`Is this the fingerprint that ${name} read out?`);
  if (answer === true) return;
  throw new HostError(
    "ERR_CONFIG_INVALID",
    answer === false ? "nothing was signed" : "name the fingerprint that its owner read out by --fingerprint",
  );
}
