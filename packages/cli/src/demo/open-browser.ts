import { spawn } from "node:child_process";

/** What tells whether a person sits in front of this machine's screen. */
export interface Surroundings {
  readonly isTerminal: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly platform: NodeJS.Platform;
}

/** True when a browser window would be seen: a terminal, no SSH, no CI, a display. */
export function canOpenBrowser({ isTerminal, environment, platform }: Surroundings): boolean {
  if (!isTerminal || environment["CI"] || environment["SSH_CONNECTION"] || environment["SSH_TTY"])
    return false;
  if (platform !== "linux") return true;
  return Boolean(environment["DISPLAY"] || environment["WAYLAND_DISPLAY"]);
}

function commandOf(platform: NodeJS.Platform): readonly [command: string, ...args: string[]] {
  if (platform === "darwin") return ["open"];
  return platform === "win32" ? ["rundll32", "url.dll,FileProtocolHandler"] : ["xdg-open"];
}

/** Opens an address in the reader's browser. Never fails: the address was printed as well. */
export function openBrowser(url: string, platform: NodeJS.Platform = process.platform): void {
  const [command, ...args] = commandOf(platform);
  const child = spawn(command, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}
