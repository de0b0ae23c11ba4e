import { existsSync } from "node:fs";
import { findOrInstall, isExecutable, placesOnPath } from "./debian-packages.ts";

const NEED = {
  name: "nginx with its stream module",
  packages: ["nginx-light", "libnginx-mod-stream"],
  remedy:
    "No nginx found: install it with its stream module (apt-get install nginx-light libnginx-mod-stream).",
};
/** Where Debian puts it. */
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";

/** An nginx for the tests of ingresses. */
export interface Nginx {
  readonly program: string;
  /** Module that passes TLS through. */
  readonly streamModule: string;
}

/** The nginx that is installed; its folder, sbin, is not on everybody's PATH. */
export function installedNginx(environment: NodeJS.ProcessEnv = process.env): Nginx | undefined {
  const places = [...placesOnPath(["nginx"], environment), "/usr/sbin/nginx"];
  const program = places.find(isExecutable);
  if (program === undefined || !existsSync(STREAM_MODULE)) return undefined;
  return { program, streamModule: STREAM_MODULE };
}

/**
 * The nginx for the tests, installed by apt when there is none and this process may do so.
 * @throws Error with the remedy
 */
export function findNginx(): Promise<Nginx> {
  return findOrInstall(NEED, installedNginx);
}

const SYSTEMD = {
  name: "systemd-analyze",
  packages: ["systemd"],
  remedy: "No systemd-analyze found: install it (apt-get install systemd).",
};

/** The program that checks units of systemd, installed by apt when there is none. @throws Error with the remedy */
export function findSystemdAnalyze(): Promise<string> {
  return findOrInstall(SYSTEMD, () => placesOnPath(["systemd-analyze"]).find(isExecutable));
}
