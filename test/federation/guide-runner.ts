import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";

// A guide is run as its reader types it: a block that names a file is written there, commands run in a shell in their order, those that keep
// their terminal go on behind, until `# Ctrl-C`.

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CLI = join(ROOT, "packages/cli/src/cli.ts");
const BLOCK = /^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm;
/** What readers put in themselves, and the line of an earlier command that tells it. */
const TOLD: Readonly<Record<string, RegExp>> = {
  FINGERPRINT: /Root fingerprint: (\w{64})/,
  INVITE: /^(\w{64}) {2}open/m,
  ID: /^Job (\w{32}) submitted/m,
};

/** What running a guide came to. */
export interface GuideRun {
  /** Everything that was printed by commands that ended. */
  readonly printed: string;
  /** Commands that ran. */
  readonly commands: number;
  /** Folder that they ran in. */
  readonly folder: string;
}

/** Where a guide is run. */
export interface GuidePlace {
  /** An empty folder. */
  readonly folder: string;
  /** Free port, which stands for the 8443 of the guide. */
  readonly port: number;
}

/** Runs the blocks of a guide in their order. @throws Error with what was printed when a command ends otherwise than the guide says */
export async function runGuide(name: string, { folder, port }: GuidePlace): Promise<GuideRun> {
  const page = await readFile(join(ROOT, "docs/guide", name), "utf8");
  const shell = await GuideShell.open(folder);
  const put = (text: string): string =>
    Object.entries(TOLD).reduce(
      (filled, [word, told]) =>
        filled.replaceAll(new RegExp(`\\b${word}\\b`, "g"), told.exec(shell.printed)?.[1] ?? word),
      text.replaceAll("8443", String(port)),
    );
  for (const [, language, note, text = ""] of page.matchAll(BLOCK)) {
    if (language === "sh") await shell.runAll(text, { put, fails: note === "fails" });
    else if (note !== undefined) {
      await mkdir(dirname(join(folder, note)), { recursive: true });
      await writeFile(join(folder, note), put(text));
    }
  }
  return { printed: shell.printed, commands: shell.commands, folder };
}

class GuideShell {
  readonly #folder: string;
  readonly #kept = new Set<ChildProcess>();
  printed = "";
  commands = 0;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** A shell in which `photinus` is the command of this repository. */
  static async open(folder: string): Promise<GuideShell> {
    const shell = new GuideShell(folder);
    const bin = join(folder, "bin", "photinus");
    await mkdir(dirname(bin));
    const loader = join(ROOT, "node_modules/tsx/dist/loader.mjs");
    await writeFile(
      bin,
      `#!/bin/sh\nexec ${process.execPath} --conditions=@photinus/source --import ${loader} ${CLI} "$@"\n`,
    );
    await chmod(bin, 0o700);
    onTestFinished(() => shell.#interrupt());
    return shell;
  }

  /** @param put fills in what earlier lines told @param fails the line is refused, as the guide says */
  async runAll(
    block: string,
    { put, fails }: { readonly put: (text: string) => string; readonly fails: boolean },
  ): Promise<void> {
    for (const typed of block.replaceAll("\\\n", " ").trim().split("\n")) {
      const line = put(typed);
      if (line === "# Ctrl-C") await this.#interrupt();
      else if (/^photinus (server|site) start /.test(line)) await this.#keep(line);
      else if (line !== "" && !line.startsWith("#")) await this.#run(line, fails);
    }
  }

  async #run(line: string, fails: boolean): Promise<void> {
    const child = this.#spawn(line);
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
    const [code] = await once(child, "close");
    this.commands += 1;
    this.printed += `$ ${line}\n${text}`;
    if ((code !== 0) !== fails) throw new Error(`${line} ended with ${code}:\n${text}`);
  }

  /** Starts what keeps its terminal, and waits until it says that it is there. */
  async #keep(line: string): Promise<void> {
    const child = this.#spawn(line);
    this.#kept.add(child);
    this.commands += 1;
    let text = "";
    await new Promise<void>((resolve, reject) => {
      const take = (part: string): void => {
        text += part;
        if (/wss?:\/\/|admitted|session/.test(text)) resolve();
      };
      child.stdout?.setEncoding("utf8").on("data", take);
      child.stderr?.setEncoding("utf8").on("data", take);
      child.once("close", (code) => reject(new Error(`${line} ended with ${code}:\n${text}`)));
    });
    const kit = /^photinus site start --kit (\S+)/.exec(line)?.[1];
    if (kit !== undefined) await this.#witnessed(join(this.#folder, kit, "local/state/audit.jsonl"));
  }

  /** Until a site has the word of its server, which comes right after the session: readers are slower than that. */
  async #witnessed(chain: string): Promise<void> {
    const heads = async (): Promise<string> => await readFile(chain, "utf8").catch(() => "");
    await expect.poll(heads, { timeout: 30_000 }).toContain('"action":"witness"');
  }

  async #interrupt(): Promise<void> {
    for (const child of [...this.#kept].reverse()) {
      this.#kept.delete(child);
      if (child.exitCode !== null) continue;
      const closed = once(child, "close");
      child.kill("SIGINT");
      await closed;
    }
  }

  #spawn(line: string): ChildProcess {
    const keeps = /^photinus (server|site) start /.test(line);
    return spawn("bash", ["-c", keeps ? `exec ${line}` : line], {
      cwd: this.#folder,
      env: {
        ...process.env,
        PATH: `${join(this.#folder, "bin")}:${process.env["PATH"] ?? ""}`,
        PHOTINUS: ROOT,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}
