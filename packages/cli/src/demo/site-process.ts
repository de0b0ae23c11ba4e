import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { TrainingError } from "@photinus/core/errors";

/** What a site process is started with. */
export interface SiteProcessOptions {
  readonly name: string;
  readonly kit: string;
  /** Its data folder. */
  readonly data: string;
  /** Address of the server's socket. */
  readonly server: string;
  /** Passphrase of the kit; goes through a pipe, never into arguments or the environment. */
  readonly passphrase: string;
  /** Threads of ONNX Runtime. */
  readonly threads: number;
}

/** A site that runs as a child process. */
export interface SiteProcess {
  readonly name: string;
  /** Rejects when the process ends before {@link stop}. */
  readonly failed: Promise<never>;
  /** Ends it in order, then by force. Idempotent. */
  stop(): Promise<void>;
}

/** Output of a child that is kept for the message when it fails, in characters. */
const KEPT_OUTPUT = 4_000;
/** Time that a site gets to end by itself, in ms. */
const STOP_MS = 5_000;

/** The command line of this installation, from sources or built. */
function cliFile(): string {
  const name = import.meta.url.endsWith(".ts") ? "../cli.ts" : "../cli.js";
  return new URL(name, import.meta.url).pathname;
}

function spawnSite(options: SiteProcessOptions): ChildProcess {
  const args = ["site", "start", "--kit", options.kit, "--data", options.data, "--server", options.server];
  const flags = ["--threads", String(options.threads), "--passphrase-fd", "3", "--until-stdin-closes"];
  const child = spawn(process.execPath, [...process.execArgv, cliFile(), ...args, ...flags], {
    // Standard input stays open as long as this process lives: it is the child's sign to go on.
    stdio: ["pipe", "ignore", "pipe", "pipe"],
    // A group of its own: Ctrl-C in the terminal reaches this process only, which then stops its sites in order.
    detached: true,
  });
  const secret = child.stdio[3] as Writable; // asked for as a pipe above
  secret.on("error", () => undefined); // the child ended before it read: its exit tells why
  secret.end(`${options.passphrase}\n`);
  return child;
}

/** Starts a site as a process of its own; it ends with this process, however that ends. */
export function startSiteProcess(options: SiteProcessOptions): SiteProcess {
  const child = spawnSite(options);
  let output = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output = `${output}${text}`.slice(-KEPT_OUTPUT);
  });
  let isStopping = false;
  const exited = once(child, "exit");
  const failed = exited.then(
    ([code]) => fail(options.name, `ended with status ${code}`, { isStopping, output }),
    (error: unknown) => fail(options.name, `did not start (${String(error)})`, { isStopping, output }),
  );
  failed.catch(() => undefined); // whoever waits for the rounds hears of it
  return {
    name: options.name,
    failed,
    async stop() {
      isStopping = true;
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin?.end();
      const force = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await exited.catch(() => undefined);
      clearTimeout(force);
    },
  };
}

function fail(
  name: string,
  what: string,
  { isStopping, output }: { readonly isStopping: boolean; readonly output: string },
): Promise<never> {
  if (isStopping) return new Promise(() => undefined);
  const last = output.trim().split("\n").slice(-5).join(" | ");
  return Promise.reject(
    new TrainingError("ERR_TRAINER_LOST", `site ${name} ${what}${last ? `: ${last}` : ""}`),
  );
}
