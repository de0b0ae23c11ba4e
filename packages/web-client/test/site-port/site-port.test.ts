import { PkiError } from "@photinus/core/errors";
import { afterEach, expect, test } from "vitest";
import { type SiteHandlers, type SiteNews, serveSite, siteClient } from "../../src/site-port/index.ts";

const ports: MessagePort[] = [];

afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

const refuse = (): Promise<never> => Promise.reject(new Error("not asked for in this test"));

/** A page and a site worker over a channel. A port has all that is used of a worker, and its end. */
function aPair(handlers: Partial<SiteHandlers>): {
  readonly client: ReturnType<typeof siteClient>;
  readonly tell: (news: SiteNews) => void;
  readonly news: SiteNews[];
  readonly raw: MessagePort;
} {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  port1.start();
  port2.start();
  const all = Object.assign(
    {
      open: refuse,
      check: refuse,
      useData: refuse,
      join: refuse,
      decide: refuse,
      credential: refuse,
      inviteDevice: refuse,
      pause: refuse,
      resume: refuse,
    },
    { leave: refuse },
    handlers,
  );
  const tell = serveSite(port2, all);
  const news: SiteNews[] = [];
  const worker = Object.assign(port1, { terminate: () => port1.close() }) as unknown as Worker;
  return { client: siteClient(worker, (item) => news.push(item)), tell, news, raw: port1 };
}

test("carries a call and its answer", async () => {
  const { client } = aPair({
    open: async ({ fragment }) => ({ project: fragment, serverName: "server", siteName: "" }),
  });

  expect(await client.call("open", { fragment: "demo" })).toEqual({
    project: "demo",
    serverName: "server",
    siteName: "",
  });
});

test("moves the data instead of copying it", async () => {
  const received: number[] = [];
  const { client } = aPair({
    useData: async ({ trainingImages, trainingLabels }) => {
      received.push(trainingImages.byteLength, trainingLabels.byteLength);
      return null;
    },
  });
  const trainingImages = new Uint8Array(100);
  const trainingLabels = new Uint8Array(10);

  await client.call("useData", { dataName: "mnist", trainingImages, trainingLabels }, [
    trainingImages.buffer,
    trainingLabels.buffer,
  ]);

  expect(received).toEqual([100, 10]);
  expect(trainingImages.byteLength).toBe(0);
});

test("carries an error as code and words, without its cause", async () => {
  const { client } = aPair({
    join: () => Promise.reject(new PkiError("ERR_INVITE_REFUSED", "used up", { cause: new Error("secret") })),
  });

  const error = await client.call("join", null).catch((caught: unknown) => caught);

  expect(error).toMatchObject({ code: "ERR_INVITE_REFUSED", message: "used up" });
  expect(String(Reflect.get(Object(error), "cause"))).not.toContain("secret");
});

test.each([
  ["an unknown call", { id: 1, call: "constructor", request: null }, "ERR_TYPE_UNKNOWN"],
  ["a request that lacks a field", { id: 1, call: "open", request: {} }, "ERR_MESSAGE_MALFORMED"],
  [
    "a field too many",
    { id: 1, call: "open", request: { fragment: "", admin: true } },
    "ERR_MESSAGE_MALFORMED",
  ],
  [
    "a data name that is a path",
    {
      id: 1,
      call: "useData",
      request: { dataName: "../x", trainingImages: new Uint8Array(1), trainingLabels: new Uint8Array(1) },
    },
    "ERR_MESSAGE_MALFORMED",
  ],
])("refuses %s", async (_name, message, code) => {
  const { raw } = aPair({});
  const answer = new Promise<unknown>((resolve) =>
    raw.addEventListener("message", ({ data }) => resolve(data), { once: true }),
  );

  raw.postMessage(message);

  expect(await answer).toMatchObject({ kind: "error", id: 1, code });
});

test("passes news on as they come", async () => {
  const { client, tell, news } = aPair({ pause: async () => null });
  const proposal = {
    jobId: "j",
    name: "digits",
    purpose: "",
    submitter: "admin",
    organization: "demo",
    rounds: 3,
    localEpochs: 1,
    batchSize: 64,
    modelBytes: 1000,
  };

  tell({ kind: "proposal", proposal });
  await client.call("pause", null); // answered after what was told before

  expect(news).toEqual([{ kind: "proposal", proposal }]);
});
