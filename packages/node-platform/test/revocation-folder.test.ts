import { mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RevocationLists } from "@photinus/core/pki";
import { TEST_EPOCH_MS, testProject } from "@photinus/core/testing";
import { expect, onTestFinished, test } from "vitest";
import { nodeCrypto, readSmallFile, replaceFile, revocationFolder } from "../src/index.ts";

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "photinus-test-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test("a site that was started again refuses a list that goes back", async () => {
  const crypto = nodeCrypto();
  const project = await testProject({ crypto });
  const state = join(await folder(), "revocation");
  const lists = () =>
    new RevocationLists(
      { project: "test", root: project.root.certificate.der },
      { crypto, clock: { now: () => TEST_EPOCH_MS }, store: revocationFolder(state) },
    );
  const site = project.sites.get("site-1");
  const first = project.revocations.ofRoot?.der;
  if (site === undefined || first === undefined) throw new Error("the project has a site and a list");
  const before = lists();
  await before.take({ list: first });
  await before.take(await project.revoke(site));

  const after = lists();

  await expect(after.take({ list: first })).rejects.toMatchObject({ code: "ERR_CRL_ROLLBACK" });
  expect(after.isRevoked(site.participant.chain)).toBe(true);
  const [file, ...others] = await readdir(state);
  expect(others).toEqual([]);
  expect((await stat(join(state, file ?? ""))).mode & 0o777).toBe(0o600);
});

test("a file that was damaged admits nobody", async () => {
  const crypto = nodeCrypto();
  const project = await testProject({ crypto });
  const state = await folder();
  await writeFile(join(state, `${"ab".repeat(32)}.der`), "rubbish");
  const lists = new RevocationLists(
    { project: "test", root: project.root.certificate.der },
    { crypto, clock: { now: () => TEST_EPOCH_MS }, store: revocationFolder(state) },
  );

  await expect(lists.requireCurrent()).rejects.toMatchObject({ code: "ERR_CRL_MALFORMED" });
});

test("a small file is read whole, never through a link, never when it is larger", async () => {
  const base = await folder();
  const path = join(base, "deep", "file");
  await replaceFile(path, Uint8Array.of(1, 2, 3));
  await replaceFile(path, Uint8Array.of(4, 5));
  await symlink(path, join(base, "link"));
  const refused = { code: "ERR_CONFIG_INVALID" };

  expect([...(await readSmallFile(path, 2))]).toEqual([4, 5]);
  expect(await readdir(join(base, "deep"))).toEqual(["file"]);
  await expect(readSmallFile(path, 1)).rejects.toMatchObject(refused);
  await expect(readSmallFile(join(base, "link"), 10)).rejects.toMatchObject(refused);
  await expect(readSmallFile(base, 10)).rejects.toMatchObject(refused);
  await expect(readSmallFile(join(base, "none"), 10)).rejects.toMatchObject(refused);
});
