import { Command } from "commander";
import type { CommandContext, ContextOf } from "./context.ts";
import type { TerminalOptions, TerminalStreams } from "./terminal.ts";
import { addAudit } from "./verbs/audit.ts";
import { addCert } from "./verbs/cert.ts";
import { addCheck } from "./verbs/check.ts";
import { addDemo } from "./verbs/demo.ts";
import { addInit } from "./verbs/init.ts";
import { addInvite } from "./verbs/invite.ts";
import { addJob } from "./verbs/job.ts";
import { addKit } from "./verbs/kit.ts";
import { addModel } from "./verbs/model.ts";
import { addPolicy } from "./verbs/policy.ts";
import { addProject } from "./verbs/project.ts";
import { addProvision } from "./verbs/provision.ts";
import { addRevoke } from "./verbs/revoke.ts";
import { addServer } from "./verbs/server.ts";
import { addSite } from "./verbs/site.ts";
import { installedVersion } from "./version.ts";

/** Makes the context of a command once its global options are known. */
export type CreateContext = (options: TerminalOptions) => CommandContext;

/** The verbs, in the order of the help. */
const VERBS = [
  addDemo,
  addServer,
  addSite,
  addJob,
  addInit,
  addProvision,
  addRevoke,
  addInvite,
  addCert,
  addAudit,
  addPolicy,
  addKit,
  addCheck,
  addProject,
  addModel,
] as const;

/** The command line: parsed here, each command loaded when it is used. */
export function createProgram(createContext: CreateContext, streams?: TerminalStreams): Command {
  const program = new Command("photinus")
    .description("Federated learning among Node hosts and web pages")
    .version(installedVersion(), "--version", "print the version")
    .option("--json", "print one object on standard output, progress on standard error")
    .option("--quiet", "print nothing but results and errors")
    .showHelpAfterError("Try: photinus --help")
    .exitOverride();
  if (streams !== undefined) {
    program.configureOutput({
      writeOut: (text) => streams.out.write(text),
      writeErr: (text) => streams.err.write(text),
    });
  }
  const contextOf: ContextOf = (command) => {
    const { json, quiet } = command.optsWithGlobals();
    return createContext({ isJson: json === true, isQuiet: quiet === true });
  };
  for (const add of VERBS) add(program, contextOf);
  return program;
}
