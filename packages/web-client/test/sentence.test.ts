import { expect, test } from "vitest";
import { asSentence } from "../src/page/sentence.ts";

test.each([
  ["the join link is altered", "The join link is altered."],
  ["is the server running?", "Is the server running?"],
  ["ws://127.0.0.1/ws said nothing", "ws://127.0.0.1/ws said nothing."],
  ["site-1 is unknown", "site-1 is unknown."],
  ["", "."],
])("writes %j as a sentence", (message, sentence) => {
  expect(asSentence(message)).toBe(sentence);
});
