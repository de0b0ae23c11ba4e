import { readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ProvisionError } from "@photinus/core/errors";
import { type ProjectDefinition, projectSchema } from "@photinus/core/provision";
import { checkDocument } from "../yaml/check-document.ts";
import { DocumentFault, type PositionedDocument } from "../yaml/positioned-document.ts";
import { readDocument } from "../yaml/read-document.ts";

/**
 * Reads `project.yml`. Where it names a file of CAs, the file's content takes its place.
 *
 * @throws ProvisionError `ERR_PROJECT_INVALID` with file, line and column; HostError `ERR_CONFIG_INVALID` for no such file
 */
export async function readProjectDefinition(file: string): Promise<ProjectDefinition> {
  try {
    return checkDocument(await withAuthorities(await readDocument(file)), projectSchema);
  } catch (cause) {
    if (!(cause instanceof DocumentFault)) throw cause;
    throw new ProvisionError("ERR_PROJECT_INVALID", `${cause.position} ${cause.message}`, { cause });
  }
}

/** Only what is a file's name is read, and only as certificates: the schema refuses everything else. */
async function withAuthorities(document: PositionedDocument): Promise<PositionedDocument> {
  const { value } = document;
  const server = isRecord(value) ? value["server"] : undefined;
  const named = isRecord(server) ? server["tlsCa"] : undefined;
  if (!isRecord(value) || !isRecord(server) || typeof named !== "string") return document;
  if (named.trimStart().startsWith("-----BEGIN")) return document;
  const pem = await readAuthorities(join(dirname(document.file), named)).catch((cause: unknown) => {
    const place = document.at(["server", "tlsCa"]);
    throw new DocumentFault(place, `server.tlsCa: ${named} is no file of certificates in PEM`, { cause });
  });
  return { ...document, value: { ...value, server: { ...server, tlsCa: pem } } };
}

/** No file of CAs is larger. */
const MAX_AUTHORITIES_BYTES = 65_536;

async function readAuthorities(path: string): Promise<string> {
  const found = await stat(path);
  if (!found.isFile() || found.size > MAX_AUTHORITIES_BYTES) throw new RangeError(`${found.size} bytes`);
  const text = await readFile(path, "utf8");
  if (!text.trimStart().startsWith("-----BEGIN CERTIFICATE-----")) throw new RangeError("no certificates");
  return text;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
