import { AuditBrokenError, verifyChain } from "@photinus/core/audit";
import { Federation } from "@photinus/core/console";
import { StorageError } from "@photinus/core/errors";
import { jobAccept, jobDecline } from "@photinus/core/message";
import { expect, test, vi } from "vitest";
import { atWork, clock, crypto } from "./equipment/a-ground.ts";
import { HostileSite } from "./equipment/hostile-site.ts";
import { logIn, refusalOf } from "./equipment/log-in.ts";

test("a log-in that cannot be recorded does not take effect, and the session is ended", async () => {
  const { ground, job } = await atWork();
  const append = vi
    .spyOn(ground.storage.audit, "append")
    .mockRejectedValueOnce(new StorageError("ERR_STORAGE_UNAVAILABLE", "the disk is full"));

  const session = await logIn(ground, ground.siteIdentity("mallory"));
  session.receive({ routes: [] });

  expect(await session.ended).toMatchObject({ code: "ERR_INTERNAL", local: false });
  append.mockRestore();
  expect(ground.server.coordinator.sites().map(({ name }) => name)).toEqual(["honest"]);
  await ground.survives(job);
});

test("a site that consents and declines a thousand times fills no disk", async () => {
  const { ground, job } = await atWork();
  const mallory = await HostileSite.connect(ground);
  await ground.untilView(job.jobId, ({ sites }) => sites.some(({ name }) => name === "mallory"));

  for (let count = 0; count < 500; count++) {
    await mallory.session.send(jobAccept, { jobId: job.jobId, terms: "" });
    await mallory.session.send(jobDecline, { jobId: job.jobId, reason: "no" });
  }

  await mallory.session.close("ERR_GOING_AWAY");
  await ground.survives(job);
  const consents = (await ground.events("consent")).filter(({ actor }) => actor.endsWith(" mallory"));
  expect(consents.length).toBeGreaterThanOrEqual(1);
  expect(consents.length).toBeLessThanOrEqual(16);
});

test("who ended a job, and who tried to without the right, is recorded by name", async () => {
  const { ground, job } = await atWork();
  const member = await ground.project.add("member", "member@example.org");
  const session = await logIn(ground, member);
  const parts = {
    ...{ identity: member, root: ground.project.root.certificate.der },
    revocations: ground.project.revocations,
    open: () => logIn(ground, member),
  };
  const federation = new Federation(session, parts, { connector: ground.connector, clock, crypto });

  expect(await refusalOf(federation.job(job.jobId).abort())).toMatchObject({ code: "ERR_FORBIDDEN" });
  await job.abort();

  const events = (await ground.events("job")).filter(({ object }) => object === job.jobId);
  expect(events.map(({ actor, outcome, reason }) => [actor.split(" ").at(-1), outcome, reason])).toEqual(
    expect.arrayContaining([
      ["member@example.org", "refused", "abort"],
      ["lead@example.org", "accepted", "abort"],
    ]),
  );
  await federation.close();
});

test("a record that was changed behind the server's back is named, and the server does not go on from it", async () => {
  const { ground, job } = await atWork();
  await ground.survives(job);
  const records = await ground.records();
  const altered = records.map((record) =>
    record.sequence === 2 ? { ...record, event: { ...record.event, actor: "nobody" } } : record,
  );

  const found = await refusalOf(
    verifyChain(
      crypto,
      (async function* () {
        yield* altered;
      })(),
    ),
  );

  expect(found).toBeInstanceOf(AuditBrokenError);
  expect(found).toMatchObject({ sequence: 2 });
});
