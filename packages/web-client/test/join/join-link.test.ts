import { expect, test } from "vitest";
import { takeLink } from "../../src/join/join-link.ts";

function aStorage(): Pick<Storage, "getItem" | "setItem"> & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
  };
}

test("moves the fragment out of the address bar and finds it again after a reload", () => {
  const addresses: string[] = [];
  const history = {
    replaceState: (_data: unknown, _title: string, url: unknown) => void addresses.push(String(url)),
  };
  const storage = aStorage();
  const location = { hash: "#AbC_-1", pathname: "/join", search: "?device=wasm" };

  expect(takeLink(location, history, storage)).toBe("AbC_-1");
  expect(addresses).toEqual(["/join?device=wasm"]);
  expect(takeLink({ ...location, hash: "" }, history, storage)).toBe("AbC_-1");
});

test("keeps nothing of a fragment that is far too long", () => {
  const storage = aStorage();
  const location = { hash: `#${"x".repeat(5000)}`, pathname: "/join", search: "" };

  expect(takeLink(location, { replaceState: () => undefined }, storage)).toBe("");
  expect(storage.kept.size).toBe(0);
});
