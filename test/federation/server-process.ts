import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const CLI = fileURLToPath(new URL("../../packages/cli/src/cli.ts", import.meta.url));
const FLAGS = ["--conditions=@photinus/source", "--import", "tsx", CLI, "server", "start"];

/** What a server process is started with. */
export interface ServerProcessOptions {
  /** Folder of its kit. */
  readonly kit: string;
  /** Folder of its storage: what the next process goes on with. */
  readonly state: string;
  readonly passphrase: string;
  /** 0: a free one. */
  readonly port: number;
}

/** A server as operators run it: a process of its own. */
export interface ServerProcess {
  readonly port: number;
  readonly socketUrl: string;
  /** Ends it. @returns its exit status; null when a signal ended it */
  end(signal: "SIGTERM" | "SIGKILL"): Promise<number | null>;
}

/** Starts a server and waits until it listens. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { kit, state, passphrase, port } = options;
  const places = ["--kit", kit, "--state", state, "--host", "127.0.0.1", "--port", String(port)];
  const child = spawn(process.execPath, [...FLAGS, ...places, "--no-pages", "--passphrase-fd", "3"], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const secret = child.stdio[3] as Writable; // asked for as a pipe above
  secret.end(`${passphrase}\n`);
  const socketUrl = await address(child);
  return {
    socketUrl,
    port: Number(new URL(socketUrl).port),
    end: async (signal) => {
      const exited = once(child, "exit");
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}

/** @throws Error with what the process said when it ends before it listens */
function address(child: ChildProcess): Promise<string> {
  let text = "";
  return new Promise((resolve, reject) => {
    const take = (chunk: string): void => {
      text += chunk;
      const found = /(wss?:\/\/\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.setEncoding("utf8").on("data", take);
    child.stderr?.setEncoding("utf8").on("data", take);
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}: ${text.slice(-2000)}`)));
  });
}
