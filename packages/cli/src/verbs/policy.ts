import type { Command } from "commander";
import { oneOf } from "../arguments.ts";
import type { ContextOf } from "../context.ts";

const WHICH = oneOf("authorization", "privacy", "resources");

/** `photinus policy explain|test|check|default|schema`. */
export function addPolicy(program: Command, contextOf: ContextOf): void {
  const policy = program
    .command("policy")
    .description(
      "who may do what, what may leave, what jobs may have: authorization.json, privacy.json, resources.json",
    );
  policy
    .command("explain")
    .description("say what a policy decides, and by which rule")
    .argument("<policy>", "file such as local/authorization.json in a kit, or default")
    .requiredOption("--role <role>", "role of who asks")
    .requiredOption("--org <name>", "organization of who asks")
    .option("--name <name>", "name of who asks", "")
    .requiredOption("--site-org <name>", "organization of the site or server that decides")
    .option("--submitter-name <name>", "whose job it is; default: nobody's")
    .option("--submitter-org <name>", "organization of whose job it is")
    .option("--right <right>", "what is asked for; default: every right")
    .action(async (file: string, _options, command: Command) => {
      const { explainPolicy } = await import("../commands/policy-explain.ts");
      await explainPolicy(file, command.opts(), contextOf(command));
    });
  policy
    .command("test")
    .description("decide a list of cases and compare with what is expected")
    .argument("<cases>", "file of JSON: a list of { policy, site, user, submitter, right, expect }")
    .action(async (file: string, _options, command: Command) => {
      const { testPolicies } = await import("../commands/policy-test.ts");
      await testPolicies(file, contextOf(command));
    });
  policy
    .command("check")
    .description("read a policy as a site would, and say what it is or where it is wrong")
    .argument(
      "<policy>",
      "file such as local/privacy.json, local/authorization.json or local/resources.json in a kit",
    )
    .action(async (file: string, _options, command: Command) => {
      const { checkPolicy } = await import("../commands/policy-check.ts");
      await checkPolicy(file, contextOf(command));
    });
  policy
    .command("default")
    .description(
      "print a policy to begin with: what holds where there is no authorization.json, what kits ship",
    )
    .argument("[which]", "authorization, privacy or resources", WHICH, "authorization" as const)
    .action(async (which: ReturnType<typeof WHICH>, _options, command: Command) => {
      const { printDefaultPolicy } = await import("../commands/policy-explain.ts");
      printDefaultPolicy(which, contextOf(command));
    });
  policy
    .command("schema")
    .description("print the JSON Schema of authorization.json, privacy.json or resources.json, for editors")
    .argument("[which]", "authorization, privacy or resources", WHICH, "authorization" as const)
    .action(async (which: ReturnType<typeof WHICH>, _options, command: Command) => {
      const { printPolicySchema } = await import("../commands/policy-schema.ts");
      printPolicySchema(which, contextOf(command));
    });
}
