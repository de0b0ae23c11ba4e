import { toHex } from "@photinus/core/bytes";
import type { Administration } from "@photinus/core/console";
import { HostError } from "@photinus/core/errors";
import type { CertificateOrder, ListedCertificate } from "@photinus/core/message";
import { certificatesFromPem, parseCertificate, parseParticipantUrn } from "@photinus/core/pki";
import { formatFingerprint } from "@photinus/core/provision";
import { nodeCrypto, readSmallFile } from "@photinus/node-platform";
import type { CommandContext } from "../context.ts";
import { type AdministratorOptions, administer, digestFrom } from "./administer.ts";

/** Options of an order about certificates. */
export interface CertificateOrderOptions extends AdministratorOptions {
  /** Why, for people and the audit record. */
  readonly reason: string;
  /** Certificate in PEM, of somebody who is not connected. */
  readonly certificate?: string;
}

/** Options of `photinus site suspend`. */
export interface SuspendOptions extends CertificateOrderOptions {
  /** For how long, ms. */
  readonly for: number;
}

/** Options of `photinus cert approve` and `deny`. */
export interface DecideOptions extends AdministratorOptions {
  /** Name that the site gets; by default the one that it asked for. */
  readonly name?: string;
  /** Organization that it belongs to; by default the one that it named. */
  readonly org?: string;
  /** Why, for people and the audit record. */
  readonly reason: string;
}

/** Decides about a request, after its fingerprint was compared with the requester's own. */
export async function decideRequest(
  fingerprint: string,
  { verdict, ...options }: DecideOptions & { readonly verdict: "approve" | "deny" },
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const keyDigest = digestFrom(fingerprint);
  const detail = await administer(
    options,
    async ({ administration }) => {
      const request = (await administration.requests()).find(
        (each) => toHex(each.keyDigest) === toHex(keyDigest),
      );
      const { name = request?.name ?? "", org = request?.org ?? "" } = options;
      if (name === "" || org === "") {
        throw new HostError(
          "ERR_CONFIG_INVALID",
          "give --name and --org: the request has none that could be used",
        );
      }
      return await administration.decide({ keyDigest, verdict, name, org, reason: options.reason });
    },
    context,
  );
  terminal.line(`${formatFingerprint(keyDigest)}: ${detail}`);
  terminal.result({ fingerprint: toHex(keyDigest), detail });
}

/** Lists certificates and the requests that wait. */
export async function listCertificates(
  options: AdministratorOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const { certificates, requests } = await administer(
    options,
    async ({ administration }) => ({
      certificates: await administration.certificates(),
      requests: await administration.requests(),
    }),
    context,
  );
  for (const { name, org, state, keyDigest, from } of requests) {
    terminal.line(`request  ${state}  ${org}/${name}  from ${from}  ${formatFingerprint(keyDigest)}`);
  }
  for (const { name, org, role, state, isConnected, leaf, issuer } of certificates) {
    const line = `${state}  ${isConnected ? "connected" : "away"}  ${role}  ${org}/${name}  ${issuer}  ${toHex(leaf)}`;
    terminal.line(`certificate  ${line}`);
  }
  terminal.result({
    requests: requests.map((each) => ({ ...each, keyDigest: toHex(each.keyDigest) })),
    certificates: certificates.map((each) => ({ ...each, leaf: toHex(each.leaf) })),
  });
}

/** Options of `photinus site list`. */
export interface ListSitesOptions extends AdministratorOptions {
  /** Those of this study alone. */
  readonly study?: string;
}

/** Lists the sites that are connected, enrolled or suspended. */
export async function listSites(
  { study, ...options }: ListSitesOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const all = await administer(
    options,
    ({ administration }) =>
      study === undefined ? administration.certificates() : administration.certificatesOf(study),
    context,
  );
  const sites = all.filter(({ role }) => role === "site");
  for (const { name, org, state, isConnected, leaf, reason } of sites) {
    const place = isConnected ? "connected" : "away";
    terminal.line(
      `${name}  ${org}  ${place}  ${state}${reason === "" ? "" : `: ${reason}`}  ${toHex(leaf).slice(0, 16)}`,
    );
  }
  terminal.result({ sites: sites.map((each) => ({ ...each, leaf: toHex(each.leaf) })) });
}

/** Suspends every certificate of a participant at once, or ends that. */
export async function suspendParticipant(
  name: string,
  {
    kind,
    ...options
  }: Omit<SuspendOptions, "for"> & { readonly kind: "suspend" | "resume"; readonly for?: number },
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const details = await administer(
    options,
    async ({ administration }) => {
      const orders = await ordersFor(name, options, administration);
      const told: string[] = [];
      for (const order of orders) {
        const lifetime = options.for === undefined ? {} : { lifetimeMs: options.for };
        told.push(await administration.suspend({ kind, ...order, ...lifetime }));
      }
      return told;
    },
    context,
  );
  for (const detail of details) terminal.line(`${name}: ${detail}`);
  terminal.result({ name, details });
}

/** Revokes every certificate of a participant that the enrolment CA issued. */
export async function revokeCertificates(
  name: string,
  options: CertificateOrderOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const details = await administer(
    options,
    async ({ administration }) => {
      const told: string[] = [];
      for (const order of await ordersFor(name, options, administration))
        told.push(await administration.revoke(order));
      return told;
    },
    context,
  );
  for (const detail of details) terminal.line(`${name}: ${detail}`);
  terminal.result({ name, details });
}

async function ordersFor(
  name: string,
  { certificate, reason }: CertificateOrderOptions,
  administration: Administration,
): Promise<readonly CertificateOrder[]> {
  if (certificate !== undefined) return [await orderForFile(certificate, name, reason)];
  const listed = (await administration.certificates()).filter((each) => each.name === name);
  if (listed.length === 0) {
    throw new HostError(
      "ERR_CONFIG_INVALID",
      `the server knows no certificate of ${name} now: name it by --certificate, as in the kit of the participant`,
    );
  }
  return listed.map(({ leaf, org, role }: ListedCertificate) => ({ leaf, name, org, role, reason }));
}

const MAX_CERTIFICATE_FILE_BYTES = 65_536;

async function orderForFile(path: string, name: string, reason: string): Promise<CertificateOrder> {
  const [der] = certificatesFromPem(await readSmallFile(path, MAX_CERTIFICATE_FILE_BYTES));
  const certificate = await parseCertificate(der ?? new Uint8Array(0), { crypto: nodeCrypto() });
  const { extensions, subject, digest } = certificate;
  const holder = parseParticipantUrn(extensions.names.uris[0] ?? "");
  if (holder?.name !== name)
    throw new HostError("ERR_CONFIG_INVALID", `${path} is not the certificate of ${name}`);
  return { leaf: digest, name, org: subject.organization ?? "", role: holder.role, reason };
}
