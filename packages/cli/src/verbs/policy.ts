import type { Command } from "commander";
import type { ContextOf } from "../context.ts";

/** `photinus policy explain|test|default|schema`. */
export function addPolicy(program: Command, contextOf: ContextOf): void {
  const policy = program.command("policy").description("who may do what: authorization.json");
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
    .command("default")
    .description("print the policy that holds where there is no file, to begin with")
    .action(async (_options, command: Command) => {
      const { printDefaultPolicy } = await import("../commands/policy-explain.ts");
      printDefaultPolicy(contextOf(command));
    });
  policy
    .command("schema")
    .description("print the JSON Schema of authorization.json, for editors")
    .action(async (_options, command: Command) => {
      const { printPolicySchema } = await import("../commands/policy-schema.ts");
      printPolicySchema(contextOf(command));
    });
}
