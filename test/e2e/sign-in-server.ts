import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** A server whose people sign in at an OpenID provider, in a process of its own. */
export interface SignInServer {
  readonly origin: string;
  /** Link by which a page joins. */
  readonly join: string;
  readonly stop: () => Promise<void>;
}

/** Starts it and the provider. */
export async function startSignInServer(): Promise<SignInServer> {
  const file = fileURLToPath(new URL("./sign-in-process.ts", import.meta.url));
  const child = spawn(process.execPath, ["--conditions=@photinus/source", "--import", "tsx", file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { origin, join } = JSON.parse(line.toString("utf8")) as { origin: string; join: string };
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await once(child, "exit");
  };
  return { origin, join, stop };
}
