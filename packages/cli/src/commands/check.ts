import { join } from "node:path";
import { HostError, PhotinusError } from "@photinus/core/errors";
import type { Clock } from "@photinus/core/platform";
import {
  isEnrolledKit,
  type KitFiles,
  LOCAL_FOLDER,
  readEnrolledKit,
  verifyKit,
} from "@photinus/core/provision";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { certificate } from "../check/probes/certificate.ts";
import { clock as clockProbe } from "../check/probes/clock.ts";
import { deviceProbe } from "../check/probes/devices.ts";
import { disk } from "../check/probes/disk.ts";
import { dns } from "../check/probes/dns.ts";
import { enrolment } from "../check/probes/enrolment.ts";
import { fileLimits } from "../check/probes/file-limits.ts";
import { httpDate } from "../check/probes/http-date.ts";
import { idle } from "../check/probes/idle.ts";
import { kitFiles, kitPermissions } from "../check/probes/kit.ts";
import { libraries } from "../check/probes/libraries.ts";
import { login } from "../check/probes/login.ts";
import { machine } from "../check/probes/machine.ts";
import { mode } from "../check/probes/mode.ts";
import { nativeMasking } from "../check/probes/native-masking.ts";
import { nodeVersion } from "../check/probes/node-version.ts";
import { authorizationPolicy, sitePolicies } from "../check/probes/policies.ts";
import { portProbe } from "../check/probes/ports.ts";
import { revocation } from "../check/probes/revocation.ts";
import { tcp } from "../check/probes/tcp.ts";
import { tls } from "../check/probes/tls.ts";
import { upgrade } from "../check/probes/upgrade.ts";
import { type NamedFinding, runProbes, walk } from "../check/run-probes.ts";
import type { Probe, Subject } from "../check/subject.ts";
import { type WayProbe, wayTo } from "../check/way.ts";
import { chooseProxy } from "../choose-proxy.ts";
import type { CommandContext } from "../context.ts";
import { exitCodeOfCode, ReportedFailure } from "../exit-code.ts";
import { readOwnKit } from "../project/own-kit.ts";
import { type KitOptions, openSiteFiles, secretOf } from "./open-kit-folder.ts";

/** Options of `photinus check`. */
export interface CheckOptions extends KitOptions {
  /** Address of the server's socket in place of those in the kit; of a server's kit, what to look at from outside. */
  readonly server?: string;
  /** Address of an HTTP proxy, or "none"; by default what the environment says. */
  readonly proxy?: string;
  /** State folder; by default as `photinus site start` has it. */
  readonly state?: string;
  /** Seconds that an idle session is held. */
  readonly idle?: number;
  /** False: do not log in, which ends the session that a running site of this kit has. */
  readonly login: boolean;
  /** Servers: address to be listened at. */
  readonly host: string;
  /** Servers: port to be listened at. */
  readonly port: number;
}

/** In the order of the way; each rests on the one before. */
const WAY: readonly WayProbe[] = [mode, dns, tcp, tls, httpDate, upgrade, login, clockProbe, idle];

function probesOf(options: CheckOptions, kit: Subject["kit"]): readonly Probe[] {
  const ofAll = [nodeVersion, nativeMasking, kitFiles, kitPermissions, certificate, revocation];
  switch (kit?.configuration.role) {
    case "server":
      return [
        ...ofAll,
        authorizationPolicy,
        enrolment,
        disk,
        portProbe(options.host, options.port),
        fileLimits,
      ];
    case "site":
      return [
        ...ofAll,
        ...sitePolicies,
        ...[disk, machine, libraries, deviceProbe("cpu"), deviceProbe("cuda"), deviceProbe("webgpu")],
      ];
    default:
      return ofAll;
  }
}

/** What the command works with beside its context. */
export interface CheckModules {
  /** Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Looks at everything between a kit and its server, and says what to do about each thing that is wrong.
 * @throws ReportedFailure when anything failed
 */
export async function check(
  options: CheckOptions,
  { terminal, signal }: CommandContext,
  { clock = systemClock() }: CheckModules = {},
): Promise<void> {
  const subject = await subjectOf(options, { clock, signal });
  const findings: NamedFinding[] = [];
  const tell = (finding: NamedFinding): void => {
    findings.push(finding);
    for (const line of linesOf(finding)) terminal.line(line);
  };
  await runProbes(probesOf(options, subject.kit), subject, tell);
  const probes = WAY.filter((probe) => options.login || (probe !== login && probe !== idle));
  for (const url of addressesOf(options, subject.kit)) {
    terminal.line(`${url}:`);
    const proxy = chooseProxy(options.proxy)(url);
    await walk(probes, wayTo(url, subject, { proxy, idleSeconds: options.idle }), tell);
  }
  const failure = failureOf(findings);
  terminal.result({ ok: failure === undefined, findings });
  if (failure !== undefined) throw new ReportedFailure(exitCodeOfCode(failure.code ?? "ERR_INTERNAL"));
}

/** A process takes the first address that works: others may fail. */
function failureOf(findings: readonly NamedFinding[]): NamedFinding | undefined {
  const failures = findings.filter(({ outcome }) => outcome === "failed");
  const addresses = new Set(findings.flatMap(({ address = [] }) => address));
  const isReached = [...addresses].some((each) => failures.every(({ address }) => address !== each));
  return failures.find(({ address }) => address === undefined || !isReached);
}

/** A server looks at itself from outside only where it is told the address: an ingress has another one than the kit. */
function addressesOf({ server }: CheckOptions, kit: Subject["kit"]): readonly string[] {
  if (server !== undefined) {
    if (URL.canParse(server) && /^wss?:\/\/[^/]/.test(server)) return [server];
    throw new HostError(
      "ERR_CONFIG_INVALID",
      `expected an address such as wss://host:8443/ws, got ${server}`,
    );
  }
  return kit === undefined || kit.configuration.role === "server" ? [] : kit.configuration.server.addresses;
}

async function subjectOf(
  options: CheckOptions,
  { clock, signal }: Pick<Subject, "clock" | "signal">,
): Promise<Subject> {
  const crypto = nodeCrypto();
  const files = await readOwnKit(options.kit);
  const kit = await verifiedAtItsTime(files, clock.now());
  const defaultState = join(options.kit, LOCAL_FOLDER, "state");
  const common = {
    ...{ folder: options.kit, files, kit, clock, crypto, signal },
    state: options.state ?? (kit?.configuration.role === "server" ? undefined : defaultState),
  };
  const hasSecret = options.passphraseFd !== undefined || options.passphraseFile !== undefined;
  if (kit === undefined || !hasSecret) return { ...common, opened: undefined, openError: undefined };
  try {
    const opened = await openSiteFiles(files, await secretOf(options), clock.now());
    return { ...common, opened, openError: undefined };
  } catch (openError) {
    return { ...common, opened: undefined, openError };
  }
}

/** A kit that is only out of date still says where the server is: its clock may be what is wrong. */
async function verifiedAtItsTime(files: KitFiles, nowMs: number): Promise<Subject["kit"]> {
  const crypto = nodeCrypto();
  if (isEnrolledKit(files)) return await readEnrolledKit(files, { crypto }).catch(() => undefined);
  try {
    return await verifyKit(files, { nowMs, admitsOwnKeys: true }, { crypto });
  } catch (error) {
    const isTime =
      error instanceof PhotinusError && /^ERR_KIT_(EXPIRED|NOT_YET_VALID)$/.test(String(error.code));
    const atMs = isTime ? firstMomentOf(files) : undefined;
    return atMs === undefined
      ? undefined
      : await verifyKit(files, { nowMs: atMs, admitsOwnKeys: true }, { crypto }).catch(() => undefined);
  }
}

/** Read without being believed: the verification that follows is for that moment. */
function firstMomentOf(files: KitFiles): number | undefined {
  const text = new TextDecoder().decode(files.get("manifest.json"));
  const digits = /"notBefore(?:Ms)?":\s*(\d{1,16})/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function linesOf({ outcome, probe, seen, remedy }: NamedFinding): readonly string[] {
  const line = `${outcome.padEnd(8)} ${probe.padEnd(17)} ${seen}`;
  return remedy === undefined ? [line] : [line, `${" ".repeat(27)}Remedy: ${remedy}`];
}
