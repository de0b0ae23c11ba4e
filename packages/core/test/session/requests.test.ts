import { expect, test } from "vitest";
import { webCrypto } from "../../src/platform/index.ts";
import { MAX_UNREAD_REPLIES, Requests } from "../../src/session/requests.ts";
import { sessionPair } from "../../src/testing/index.ts";
import { note } from "./messages.ts";

test("replies that nobody reads are kept up to a bound, and then the request fails", async () => {
  const messageId = new Uint8Array(16).fill(3);
  const pair = await sessionPair();
  pair.client.receive({ routes: [] });
  pair.server.receive({ routes: [] });
  const requests = new Requests({ ...webCrypto(), randomBytes: () => messageId });
  requests.use(pair.client);
  const replies = requests.stream(note, { text: "watch" }, new AbortController().signal);
  const reply = { messageId, inReplyTo: messageId, scope: undefined, from: pair.client.peer };
  const unsigned = { issuedAt: undefined, payloadDigest: undefined, signedFrame: undefined };
  const first = replies.next();

  for (let count = 0; count < MAX_UNREAD_REPLIES + 10; count++) {
    requests.reply(count, { ...reply, ...unsigned });
  }

  expect((await first).value).toBe(0);
  for (let count = 1; count < MAX_UNREAD_REPLIES; count++) expect((await replies.next()).value).toBe(count);
  await expect(replies.next()).rejects.toMatchObject({ code: "ERR_RATE_LIMITED" });
});
