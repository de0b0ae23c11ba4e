import type { Command } from "commander";
import { integerFrom, oneOf } from "../arguments.ts";
import type { ContextOf } from "../context.ts";
import { administratorOptions } from "./administrator-options.ts";

const ROLES = ["site", "server", "adapter", "project_admin", "org_admin", "lead", "member"] as const;

/** `photinus cert request|approve|deny|sign|install|list|revoke|renew`. */
export function addCert(program: Command, contextOf: ContextOf): void {
  const cert = program
    .command("cert")
    .description("certificates of a running server, and of who makes the own key");
  addRequest(cert, contextOf);
  for (const verdict of ["approve", "deny"] as const) {
    administratorOptions(
      cert
        .command(verdict)
        .description(`${verdict} a request, once its fingerprint was compared`)
        .argument("<fingerprint>", "of the key, as the requester reads it out"),
    )
      .option("--name <name>", "name that the site gets; default: the one it asked for")
      .option("--org <name>", "organization; default: the one it named")
      .requiredOption("--reason <text>", "why")
      .action(async (fingerprint: string, _options, command: Command) => {
        const { decideRequest } = await import("../commands/certificates.ts");
        await decideRequest(fingerprint, { ...command.opts(), verdict }, contextOf(command));
      });
  }
  addSign(cert, contextOf);
  addInstall(cert, contextOf);
  administratorOptions(cert.command("list").description("list certificates and requests")).action(
    async (_options, command: Command) => {
      const { listCertificates } = await import("../commands/certificates.ts");
      await listCertificates(command.opts(), contextOf(command));
    },
  );
  administratorOptions(
    cert
      .command("revoke")
      .description("revoke what the server issued, for good")
      .argument("<name>", "of the site"),
  )
    .requiredOption("--reason <text>", "why")
    .action(async (name: string, _options, command: Command) => {
      const { revokeCertificates } = await import("../commands/certificates.ts");
      await revokeCertificates(name, command.opts(), contextOf(command));
    });
  cert
    .command("renew")
    .description("renew the certificate of a site that joined, by its key")
    .requiredOption("--kit <folder>", "folder that `cert request` made")
    .option("--proxy <url>", "HTTP proxy to the server, or none")
    .option("--passphrase-fd <n>", "file descriptor that yields the secret of the key", integerFrom(0, 1_023))
    .option("--passphrase-file <file>", "file that holds the secret of the key")
    .action(async (_options, command: Command) => {
      const { renewCertificate } = await import("../commands/certificate-request.ts");
      await renewCertificate(command.opts(), contextOf(command));
    });
}

function addRequest(cert: Command, contextOf: ContextOf): void {
  cert
    .command("request")
    .description("make a key and ask for a certificate; asked again with the same folder until it is there")
    .requiredOption("-o, --out <folder>", "folder for key, request and certificate")
    .requiredOption("--name <name>", "name that is asked for")
    .requiredOption("--org <name>", "organization")
    .option(
      "--role <role>",
      "site, server, adapter or a user's; all but sites need the root's holder",
      oneOf(...ROLES),
    )
    .option("--server <url>", "address of the server's socket; without it only key and request are made")
    .option("--link-file <file>", "file that holds a join link: admitted at once")
    .option("--project <name>", "name of the project")
    .option("--server-name <name>", "name in the server's certificate")
    .option("--root-fingerprint <hex>", "of the project's root, as an administrator says it")
    .option("--ca <file>", "authority of the server's TLS, PEM; default: the public ones")
    .option("--proxy <url>", "HTTP proxy to the server, or none")
    .option("--wait", "ask until it was decided")
    .action(async (_options, command: Command) => {
      const { requestCertificate } = await import("../commands/certificate-request.ts");
      await requestCertificate(command.opts(), contextOf(command));
    });
}

function addSign(cert: Command, contextOf: ContextOf): void {
  cert
    .command("sign")
    .description(
      "sign a request by the root's key: a kit without private keys, for a participant of the definition",
    )
    .argument("<request>", "file that `cert request` made: local/request.pem")
    .requiredOption("-p, --project <folder>", "folder that `photinus provision` made")
    .requiredOption(
      "-d, --definition <file>",
      "definition of the project, YAML; the participant says key: requested",
    )
    .option("--fingerprint <hex>", "of the request, as its owner read it out; asked for on a terminal")
    .option("--zip", "make a zip file of the kit too")
    .option("--kit <folder>", "kit of the server on this machine: it is told of machines and revocations")
    .option("--signer <program>", "program that signs by the root's key, where it lies elsewhere")
    .option("--signer-key <file>", "public key of that program, PEM")
    .option("--passphrase-fd <n>", "file descriptor that yields the root's passphrase", integerFrom(0, 1_023))
    .option("--passphrase-file <file>", "file that holds it; asked for on a terminal")
    .action(async (file: string, _options, command: Command) => {
      const { signKitRequest } = await import("../commands/sign-request.ts");
      await signKitRequest(file, command.opts(), contextOf(command));
    });
}

function addInstall(cert: Command, contextOf: ContextOf): void {
  cert
    .command("install")
    .description("put a kit that was signed together with the key that was made here")
    .argument("<kit>", "folder or zip file of the kit")
    .requiredOption("-o, --out <folder>", "folder that `cert request` made")
    .requiredOption("--root-fingerprint <hex>", "of the project's root, as an administrator says it")
    .option("--passphrase-fd <n>", "file descriptor that yields the secret of the key", integerFrom(0, 1_023))
    .option("--passphrase-file <file>", "file that holds it; default: local/secret in the folder")
    .action(async (kit: string, _options, command: Command) => {
      const { installKit } = await import("../commands/install-kit.ts");
      await installKit(kit, command.opts(), contextOf(command));
    });
}
