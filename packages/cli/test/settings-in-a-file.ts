import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AuditLog, auditLog } from "@photinus/core/audit";
import { type Clock, silentLogger } from "@photinus/core/platform";
import { memoryAudit } from "@photinus/core/testing";
import { nodeCrypto, systemClock } from "@photinus/node-platform";
import { expect, onTestFinished } from "vitest";
import type { SettingsFileModules } from "../src/policy/settings-file.ts";
import { folder } from "./run-photinus.ts";

/** What {@link settingsInAFile} begins with. */
export interface SettingsInAFile<File> {
  readonly name: string;
  readonly create: (path: string, modules: SettingsFileModules) => File;
  /** Absent: there is no file at first. */
  readonly content?: string | undefined;
  /** Puts the content in its place. Default: writes it. */
  readonly place?: ((path: string, content: string) => Promise<void>) | undefined;
  readonly audit?: AuditLog | undefined;
}

interface Started {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Settings of a file, started, which are looked at when the test says so. */
export async function settingsInAFile<File extends Started>(begin: SettingsInAFile<File>) {
  const { name, create, content, place = writeFile, audit } = begin;
  const path = join(await folder(), name);
  if (content !== undefined) await place(path, content);
  const store = memoryAudit(nodeCrypto());
  let due: (() => void) | undefined;
  const clock: Clock = {
    ...systemClock(),
    after: (_ms, run) => {
      due = run;
      return { cancel: () => undefined };
    },
  };
  const file = create(path, { clock, logger: silentLogger, audit: audit ?? auditLog(store, systemClock()) });
  onTestFinished(() => file.stop());
  await file.start();
  return {
    path,
    file,
    /** Resolves when the file was looked at and the next look is due. */
    look: async () => {
      const run = due;
      due = undefined;
      run?.();
      await expect.poll(() => due).toBeDefined();
    },
    records: async () => {
      const records: string[] = [];
      for await (const { event } of store.read())
        records.push(`${event.object} ${event.outcome} ${event.reason}`);
      return records;
    },
  };
}
