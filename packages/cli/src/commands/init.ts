import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { HostError, ProvisionError } from "@photinus/core/errors";
import { projectSchema } from "@photinus/core/provision";
import type { CommandContext } from "../context.ts";
import { askAnswers } from "../project/ask-answers.ts";
import { DEFAULT_ANSWERS, type ProjectAnswers, projectTemplate } from "../project/project-template.ts";
import { checkDocument } from "../yaml/check-document.ts";
import { DocumentFault, readPositionedDocument } from "../yaml/positioned-document.ts";

/** Options of `photinus init`: answers that are given beforehand. */
export interface InitOptions extends Partial<ProjectAnswers> {
  /** Ask nothing. */
  readonly yes?: boolean;
}

/** A definition lists no more. */
const MAX_SITES = 10_000;

/**
 * Writes a first `project.yml`; on a terminal it asks for what no option says. A file that exists is never written over.
 *
 * @throws HostError `ERR_CONFIG_INVALID`; ProvisionError `ERR_PROJECT_INVALID` for an answer that no project may have
 */
export async function init(
  folder: string,
  options: InitOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const { yes = false, ...given } = options;
  const offered = { ...DEFAULT_ANSWERS, ...given };
  const isAsked = !yes && !terminal.isJson && process.stdin.isTTY && process.stderr.isTTY;
  const streams = { input: process.stdin, output: process.stderr };
  const file = join(folder, "project.yml");
  const text = checkedTemplate(isAsked ? await askAnswers(offered, streams) : offered, file);
  await mkdir(folder, { recursive: true });
  await writeFile(file, text, { flag: "wx" }).catch((cause: unknown) => {
    throw new HostError("ERR_CONFIG_INVALID", `${file} exists already, or cannot be written`, { cause });
  });
  terminal.line(`Wrote ${file}. Name your sites in it, then: photinus provision ${file} -o fl`);
  terminal.result({ file });
}

function checkedTemplate(answers: ProjectAnswers, file: string): string {
  const { sites } = answers;
  if (!Number.isSafeInteger(sites) || sites < 0 || sites > MAX_SITES) {
    throw new HostError("ERR_CONFIG_INVALID", `a project has 0 to ${MAX_SITES} sites with a kit`);
  }
  const text = projectTemplate(answers);
  try {
    checkDocument(readPositionedDocument(file, text), projectSchema);
  } catch (cause) {
    if (!(cause instanceof DocumentFault)) throw cause;
    throw new ProvisionError("ERR_PROJECT_INVALID", cause.message, { cause });
  }
  return text;
}
