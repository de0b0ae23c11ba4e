import { join } from "node:path";
import { type Bytes, utf8 } from "@photinus/core/bytes";
import { HostError, PkiError } from "@photinus/core/errors";
import {
  type Certificate,
  certificatesFromPem,
  decodePem,
  encodePem,
  parseCertificate,
  parseRevocationList,
  type RevocationIssuer,
  signAbroad,
} from "@photinus/core/pki";
import type { CryptoProvider } from "@photinus/core/platform";
import {
  encodeProjectState,
  MAX_PROJECT_STATE_BYTES,
  openRootKey,
  type ProjectState,
  parseProjectState,
} from "@photinus/core/provision";
import { nodeCrypto, readSecret, readSecretFile, readSmallFile } from "@photinus/node-platform";
import { askSecret } from "./ask-secret.ts";
import { changeFolder, exists, finishChange, type Move, STAGED, writePrivate } from "./folder-change.ts";
import { type SignerCommand, signerCommand } from "./signer-command.ts";

/** Paths inside the folder of a project. */
export const PROJECT_FILE = {
  /** Root certificate, PEM. */
  root: "root/root.pem",
  /** Private key of the root, encrypted, PEM; absent when an external signer holds it. */
  rootKey: "root/root-key.pem",
  /** Newest revocation list, PEM. */
  list: "root/root.crl",
  /** What was issued, JSON. */
  state: "root/state.json",
  /** Machines that have kits, JSON, for a server whose kit is older. */
  machines: "root/machines.json",
  /** Sites, scopes and studies, JSON, for a server whose kit is older. */
  roster: "root/roster.json",
  /** Generated secret of the root's key; kept offline. */
  rootSecret: "secrets/root-key",
  /** Folder of the kits. */
  kits: "kits",
  /** Folder of the secrets that open them. */
  secrets: "secrets",
  /** Folder of kits that others took the place of, and of participants that are gone. */
  superseded: "superseded",
  /** Folder of the kits as zip files. */
  zips: "zips",
} as const;

/** Where the key of the root comes from. */
export interface RootKeyOptions {
  /** File descriptor that yields the passphrase of the root's key. */
  readonly passphraseFd?: number;
  /** File that holds it. */
  readonly passphraseFile?: string;
  /** Program that signs by the root's key where it lies. */
  readonly signer?: string;
  /** File with the public key of that program, PEM. */
  readonly signerKey?: string;
}

/** A project as its folder holds it. */
export interface ProjectFolder {
  /** Path of the folder. */
  readonly folder: string;
  /** What was issued. */
  readonly state: ProjectState;
  /** The state as it lies in its file, to notice that somebody else changed it. */
  readonly stateFile: Bytes;
  /** Newest revocation list, DER. */
  readonly latest: Bytes;
  /** Root certificate. */
  readonly root: Certificate;
}

const MAX_FILE_BYTES = 65_536;

/**
 * Opens the folder of a project, after what an interrupted run left to do.
 * @throws HostError `ERR_CONFIG_INVALID` when it is no project; ProvisionError `ERR_PROJECT_STATE_INVALID`; PkiError
 *   `ERR_CRL_ROLLBACK` when the list is older than the state: its number would be given twice
 */
export async function openProjectFolder(folder: string): Promise<ProjectFolder> {
  if (!(await exists(join(folder, PROJECT_FILE.root))) && !(await exists(join(folder, STAGED)))) {
    throw new HostError("ERR_CONFIG_INVALID", `${folder} is not the folder of a project`);
  }
  await finishChange(folder);
  const crypto = nodeCrypto();
  const [stateFile, listPem, rootPem] = await Promise.all([
    readSmallFile(join(folder, PROJECT_FILE.state), MAX_PROJECT_STATE_BYTES),
    readSmallFile(join(folder, PROJECT_FILE.list), MAX_FILE_BYTES),
    readSmallFile(join(folder, PROJECT_FILE.root), MAX_FILE_BYTES),
  ]);
  const state = parseProjectState(stateFile);
  const [latest] = decodePem("X509 CRL", listPem);
  const [rootDer] = certificatesFromPem(rootPem);
  if (latest === undefined || rootDer === undefined) {
    throw new HostError("ERR_CONFIG_INVALID", `${folder}/root holds no certificate, or no list`);
  }
  const { number } = await parseRevocationList(latest, { crypto });
  if (number < state.listNumber) {
    const text = `${PROJECT_FILE.list} has number ${number}, but ${state.listNumber} was issued`;
    throw new PkiError("ERR_CRL_ROLLBACK", text);
  }
  return { folder, state, stateFile, latest, root: await parseCertificate(rootDer, { crypto }) };
}

/** The root with its key, and a provider that signs by it. */
export interface OpenedRoot {
  /** Certificate and key. */
  readonly issuer: RevocationIssuer;
  /** Signs by the key, wherever it lies. */
  readonly crypto: CryptoProvider;
}

/**
 * Opens the key of a project's root, or reaches the signer that holds it.
 * @throws PkiError `ERR_KEY_UNREADABLE` for a wrong passphrase, `ERR_SIGNER_FAILED` for another key than the root's
 */
export async function openRoot(
  { folder, root }: ProjectFolder,
  options: RootKeyOptions,
): Promise<OpenedRoot> {
  const crypto = nodeCrypto();
  const command = signerOf(options);
  if (command !== undefined) {
    const abroad = signAbroad(await signerCommand(command), crypto);
    if (Buffer.compare(abroad.key.publicKey, root.publicKey.spki) !== 0) {
      throw new PkiError("ERR_SIGNER_FAILED", "the signer's public key is not that of the project's root");
    }
    return { issuer: { certificate: root, key: abroad.key }, crypto: abroad.crypto };
  }
  const keyFile = join(folder, PROJECT_FILE.rootKey);
  if (!(await exists(keyFile))) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      "the root's key is not here: name its --signer and --signer-key",
    );
  }
  const keyPem = await readSmallFile(keyFile, MAX_FILE_BYTES);
  const certificatePem = encodePem("CERTIFICATE", root.der);
  const secret = await rootSecretOf(folder, options);
  return { issuer: await openRootKey({ certificatePem, keyPem, secret }, { crypto }), crypto };
}

/** The external signer that options name. @throws HostError `ERR_CONFIG_INVALID` for one option without the other */
export function signerOf({ signer, signerKey }: RootKeyOptions): SignerCommand | undefined {
  if (signer === undefined && signerKey === undefined) return undefined;
  if (signer !== undefined && signerKey !== undefined) return { program: signer, publicKeyFile: signerKey };
  throw new HostError("ERR_CONFIG_INVALID", "--signer and --signer-key go together");
}

/** The passphrase that options name, if they name one. */
export async function chosenSecret(options: RootKeyOptions): Promise<string | undefined> {
  const { passphraseFd, passphraseFile } = options;
  if (passphraseFd !== undefined) return await readSecret(passphraseFd);
  return passphraseFile === undefined ? undefined : await readSecretFile(passphraseFile);
}

async function rootSecretOf(folder: string, options: RootKeyOptions): Promise<string> {
  const chosen = await chosenSecret(options);
  if (chosen !== undefined) return chosen;
  const generated = join(folder, PROJECT_FILE.rootSecret);
  if (await exists(generated)) return await readSecretFile(generated);
  const typed = await askSecret("Passphrase of the root's key");
  if (typed !== undefined) return typed;
  throw new HostError(
    "ERR_CONFIG_INVALID",
    `name the root's passphrase by --passphrase-fd or --passphrase-file: ${generated} is not there`,
  );
}

/** What changes in the folder of a project. */
export interface ProjectChange {
  /** What is then issued. */
  readonly state: ProjectState;
  /** The next revocation list, DER, if there is one. */
  readonly list?: Bytes;
  /** Writes further files below a path. */
  readonly write?: (staging: string) => Promise<void>;
  /** What then becomes of those. */
  readonly moves?: readonly Move[];
}

/** Changes state and list of a project together, and whatever else, or nothing. */
export async function changeProject(project: ProjectFolder, change: ProjectChange): Promise<void> {
  const { state, list, write, moves = [] } = change;
  const replaced = [PROJECT_FILE.state, ...(list === undefined ? [] : [PROJECT_FILE.list])];
  await changeFolder(project.folder, {
    unchanged: { path: PROJECT_FILE.state, content: project.stateFile },
    moves: [...moves, ...replaced.map((path) => ({ from: join(STAGED, path), to: path, replace: true }))],
    async write(staging) {
      await write?.(staging);
      await writePrivate(join(staging, PROJECT_FILE.state), encodeProjectState(state));
      if (list !== undefined)
        await writePrivate(join(staging, PROJECT_FILE.list), encodePem("X509 CRL", list));
    },
  });
}

/** A line of text as a file. */
export function lineFile(text: string): Bytes {
  return utf8(`${text}\n`);
}
