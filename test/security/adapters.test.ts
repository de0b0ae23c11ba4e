import { builtInRegistry, encode } from "@photinus/core/decomposer";
import { writeMessage } from "@photinus/core/envelope";
import { MESSAGES, observe } from "@photinus/core/message";
import { type Identity, subjectOf } from "@photinus/core/pki";
import { testProject } from "@photinus/core/testing";
import { expect, test } from "vitest";
import { signJob } from "../../packages/core/src/job/index.ts";
import { atWork, clock, crypto, type Ground } from "./equipment/a-ground.ts";
import { anIdentity } from "./equipment/identities.ts";
import { aLinearJob } from "./equipment/linear-job.ts";
import { logIn, refusalOf } from "./equipment/log-in.ts";
import { RawPeer } from "./equipment/raw-peer.ts";

const anAdapter = (ground: Ground): Promise<Identity> => ground.project.add("adapter", "tracker");
const body = (value: unknown) => encode(value, builtInRegistry());

test("an adapter watches a job, by its own certificate", async () => {
  const { ground, job } = await atWork();
  const identity = await anAdapter(ground);
  const adapter = await ground.connectAs(identity);

  const watching = adapter.job(job.jobId).ended();
  await ground.survives(job);

  expect(await watching).toMatchObject({ jobId: job.jobId, state: "finished" });
  await adapter.close();
});

test("an adapter may send nothing but the wish to watch: every other message of the catalogue is refused", async () => {
  const { ground, job } = await atWork();
  const peer = await RawPeer.connect(ground, await anAdapter(ground));
  const others = [...MESSAGES.values()].filter(({ type }) => type !== observe.type);

  for (const { type, signed } of others) {
    await peer.sendInner(signed ? await peer.signed({ type, body: {} }) : peer.message(type, body({})));
    expect([type, await peer.refusal()]).toEqual([type, "ERR_TYPE_UNKNOWN"]);
  }

  expect(others.length).toBeGreaterThan(20);
  await ground.survives(job);
});

test("an adapter cannot hand in a job object, not even one that a user signed", async () => {
  const { ground, job } = await atWork();
  const lead = ground.project.users.get("lead@example.org");
  if (lead === undefined) throw new Error("no lead");
  const signed = await signJob(aLinearJob({}), { identity: lead, crypto, clock });
  const peer = await RawPeer.connect(ground, await anAdapter(ground));

  await peer.sendInner(signed.object);

  expect(await peer.refusal()).toBe("ERR_TYPE_UNKNOWN");
  await ground.survives(job);
});

test("a token that is missing, made up or another session's is refused, and nothing is shown", async () => {
  const { ground, job } = await atWork();
  const [identity, second] = [await anAdapter(ground), await ground.project.add("adapter", "board")];
  const peer = await RawPeer.connect(ground, identity);
  const other = await RawPeer.connect(ground, second);
  const wish = body({ jobId: job.jobId });
  const withToken = (tokenRef: Uint8Array<ArrayBuffer>) =>
    writeMessage(
      {
        ...{ type: observe.type, messageId: crypto.randomBytes(16), tokenRef },
        ...{ inReplyTo: undefined, scope: undefined },
      },
      wish,
    );

  for (const forged of [
    withToken(new Uint8Array(32)),
    withToken(crypto.randomBytes(32)),
    other.message(observe.type, wish),
  ]) {
    await peer.sendInner(forged);
    expect(await peer.refusal()).toBe("ERR_TOKEN_UNKNOWN");
  }
  await ground.survives(job);
});

test("a foreign certificate of an adapter is refused: another root, the enrolment authority, another project", async () => {
  const { ground, job } = await atWork();
  const { project, root, enrolmentCa } = ground.project;
  const stranger = await testProject({ crypto, clock });
  const adapter = { project, role: "adapter", name: "tracker" } as const;
  const enrolled = await anIdentity({ ...adapter, issuer: root });
  const { certificate } = enrolmentCa;

  for (const identity of [
    await anIdentity({ ...adapter, issuer: stranger.root }),
    await anIdentity({ ...adapter, project: "elsewhere", issuer: root }),
    {
      ...enrolled,
      participant: { ...enrolled.participant, chain: [...enrolled.participant.chain, certificate.der] },
    },
    { ...enrolled, signingKey: await crypto.generateSigningKey(1) },
  ]) {
    expect(await refusalOf(logIn(ground, identity))).toMatchObject({ code: "ERR_AUTH_FAILED" });
  }
  await ground.survives(job);
});

test("an adapter is named as a machine is", () => {
  expect(subjectOf("test", "adapter", "tracker")).toMatchObject({ role: "adapter", name: "tracker" });
  for (const name of ["ada@example.org", "server", "all", "enrol", "Tracker"]) {
    expect(subjectOf("test", "adapter", name)).toBeUndefined();
  }
});
