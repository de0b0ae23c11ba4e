import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probePort } from "../../packages/cli/src/demo/free-port.ts";
import { installedNginx } from "../../scripts/nginx.ts";
import { ROOT } from "../../scripts/process.ts";

/** A configuration of deploy/nginx, and what is exchanged in it for the test. */
export interface NginxOptions {
  readonly configuration: "tls-termination" | "pass-through" | "client-certificate";
  /** Port to listen at; default a free one. */
  readonly port?: number;
  /** Port of the server. */
  readonly upstream: number;
  /** PEM files by their names under /etc/nginx/tls. */
  readonly files: Readonly<Record<string, string>>;
  /** Exchanges text of the configuration: a mistake of an operator, or a shorter time. */
  readonly edit?: (configuration: string) => string;
}

/** A real nginx. */
export interface RunningNginx {
  readonly port: number;
  /** Ends it, and removes its folder. */
  stop(): Promise<void>;
  /** Writes the files again and makes nginx take them, as `nginx -s reload` does. */
  reload(files: NginxOptions["files"]): Promise<void>;
}

/** Starts nginx on loopback, in a folder of its own. @throws Error with what it said */
export async function startNginx(options: NginxOptions): Promise<RunningNginx> {
  const nginx = installedNginx();
  if (nginx === undefined) {
    throw new Error("No nginx: npm test installs it, or apt-get install nginx-light libnginx-mod-stream.");
  }
  const folder = await mkdtemp(join(tmpdir(), "photinus-nginx-"));
  await mkdir(join(folder, "logs"));
  const writeFiles = async (files: NginxOptions["files"]): Promise<void> => {
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  };
  await writeFiles(options.files);
  const port = options.port ?? (await probePort("127.0.0.1", 0));
  const path = join(folder, "nginx.conf");
  await writeFile(path, await configurationOf(options, { folder, port, streamModule: nginx.streamModule }));
  const child = spawn(nginx.program, ["-p", folder, "-c", path, "-e", join(folder, "error.log")], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stop = async (): Promise<void> => {
    const ended = once(child, "exit");
    if (child.exitCode === null && child.kill("SIGTERM")) await ended;
    await rm(folder, { recursive: true, force: true });
  };
  await listening(child, port).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    ...{ port, stop },
    async reload(files) {
      await writeFiles(files);
      child.kill("SIGHUP");
    },
  };
}

interface Places {
  readonly folder: string;
  readonly port: number;
  readonly streamModule: string;
}

async function configurationOf(
  { configuration, upstream, edit = (text) => text }: NginxOptions,
  { folder, port, streamModule }: Places,
): Promise<string> {
  const text = await readFile(join(ROOT, "deploy/nginx", `${configuration}.conf`), "utf8");
  const placed = edit(text)
    .replaceAll(/listen 443/g, `listen 127.0.0.1:${port}`)
    .replaceAll(/127\.0\.0\.1:(?:8080|8443)\b/g, `127.0.0.1:${upstream}`)
    .replaceAll("/etc/nginx/tls/", `${folder}/`)
    .replaceAll("modules/ngx_stream_module.so", streamModule)
    .replaceAll("worker_processes auto", "worker_processes 1")
    .replaceAll("worker_shutdown_timeout 1h", "worker_shutdown_timeout 60s")
    .replace(
      "http {",
      `http {\n${TEMPORARY.map((name) => `  ${name}_temp_path ${folder}/${name};`).join("\n")}`,
    );
  return `daemon off;\nuser ${process.getuid?.() === 0 ? "root" : "nobody"};\npid ${folder}/nginx.pid;\n${placed}`;
}

/** Folders that nginx makes for bodies, somewhere of its own unless it is told. */
const TEMPORARY = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];

/** Resolves when the port answers. @throws Error with what nginx said when it ends first */
async function listening(child: ChildProcess, port: number): Promise<void> {
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = once(child, "exit").then(() => Promise.reject(new Error(`nginx ended: ${said}`)));
  ended.catch(() => undefined);
  const answers = async (): Promise<boolean> => {
    const socket = connect(port, "127.0.0.1");
    const outcome = await Promise.race([once(socket, "connect"), once(socket, "error")]).then(
      () => true,
      () => false,
    );
    socket.destroy();
    return outcome;
  };
  while (!(await Promise.race([answers(), ended]))) await new Promise((resolve) => setTimeout(resolve, 20));
}
