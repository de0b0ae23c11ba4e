import type { Readable, Writable } from "node:stream";
import { isCancel, text } from "@clack/prompts";
import { WireError } from "@photinus/core/errors";
import type { ProjectAnswers } from "./project-template.ts";

/** Where questions are asked; the streams of the process but in tests. */
export interface AskStreams {
  /** What a person types. */
  readonly input: Readable;
  /** What the person sees. */
  readonly output: Writable;
}

/**
 * Asks a person for what a first definition says.
 * @param answers what is offered
 * @throws WireError `ERR_CANCELLED`
 */
export async function askAnswers(answers: ProjectAnswers, streams: AskStreams): Promise<ProjectAnswers> {
  const ask = async (message: string, offered: string | number): Promise<string> => {
    const answer = await text({
      message,
      initialValue: String(offered),
      input: streams.input,
      output: streams.output,
    });
    if (isCancel(answer)) throw new WireError("ERR_CANCELLED", "nothing was written");
    return answer;
  };
  return {
    name: await ask("Name of the project", answers.name),
    org: await ask("Organization that runs the server", answers.org),
    host: await ask("Host name of the server", answers.host),
    port: Number(await ask("Port of the server", answers.port)),
    admin: await ask("E-mail of the project's administrator", answers.admin),
    sites: Number(await ask("Number of sites with a startup kit", answers.sites)),
  };
}
