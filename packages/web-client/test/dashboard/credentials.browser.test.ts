// In the browser only: it tests what a page does with its address.
import { afterEach, expect, test } from "vitest";
import { dropCredentials, parseFragment, takeCredentials } from "../../src/dashboard/credentials.ts";

afterEach(() => sessionStorage.clear());

test("moves the token of a link out of the address bar into the storage of the tab", () => {
  const replaced: string[] = [];
  const history = {
    replaceState: (_state: unknown, _title: string, url: unknown) => replaced.push(String(url)),
  };
  const location = { hash: "#token=abc_-1&job=j1", pathname: "/", search: "?x=1" };

  expect(takeCredentials(location, history, sessionStorage)).toEqual({ token: "abc_-1", job: "j1" });
  expect(replaced).toEqual(["/?x=1"]);
  expect(takeCredentials({ ...location, hash: "" }, history, sessionStorage)).toEqual({
    token: "abc_-1",
    job: "j1",
  });
});

test("forgets the token when asked", () => {
  takeCredentials(
    { hash: "#token=abc", pathname: "/", search: "" },
    { replaceState: () => undefined },
    sessionStorage,
  );

  dropCredentials(sessionStorage);

  expect(sessionStorage.length).toBe(0);
});

test.each([
  "",
  "#",
  "#token=",
  "#job=1",
  "#token=a b",
  "#token=<script>",
  `#token=${"x".repeat(129)}`,
  "#token=a&job=../x",
])("takes no credentials from the fragment %j", (fragment) => {
  expect(parseFragment(fragment)).toBeUndefined();
});
