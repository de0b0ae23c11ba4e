import { describe, expect, test } from "vitest";
import { verifyChain } from "../../audit/index.ts";
import { type Bytes, equalBytes, toHex, utf8 } from "../../bytes/index.ts";
import type {
  AuditEvent,
  AuditRecord,
  AuditStore,
  BlobStore,
  CryptoProvider,
  MetadataStore,
  ScratchStore,
} from "../../platform/index.ts";

/** What every driver of the metadata role keeps. @param create an empty store, once per test */
export function metadataContract(name: string, create: () => Promise<MetadataStore> | MetadataStore): void {
  describe(`metadata in ${name}`, () => {
    metadataValues(create);
    metadataRevisions(create);
    metadataConcurrency(create);
    metadataMisuse(create);
  });
}

function metadataValues(create: () => Promise<MetadataStore> | MetadataStore): void {
  test("a record that was put is there, byte for byte", async () => {
    const store = await create();
    const value = Uint8Array.from({ length: 256 }, (_, index) => index);

    expect(await store.put("jobs/1", value)).toBe(1);
    await store.put("empty", new Uint8Array(0));

    expect(await store.get("jobs/1")).toEqual({ key: "jobs/1", value, revision: 1 });
    expect(await store.get("empty")).toEqual({ key: "empty", value: new Uint8Array(0), revision: 1 });
    expect(await store.get("jobs/2")).toBeUndefined();
  });

  test("values are copies in both ways", async () => {
    const store = await create();
    const value = utf8("before");
    const written = store.put("a", value);
    value.fill(0);
    await written;
    (await store.get("a"))?.value.fill(0);

    expect(await store.get("a")).toMatchObject({ value: utf8("before") });
  });

  test("lists what begins with a prefix, by key, and nothing else", async () => {
    const store = await create();
    const names = "jobs/2 jobs/10 jobs/1 jobs job/1 jobs0 JOBS/1 jobs/% jobs/_~";
    for (const key of names.split(" ")) await store.put(key, utf8(key));

    const keys = (await store.list("jobs/")).map(({ key }) => key);

    expect(keys).toEqual(["jobs/%", "jobs/1", "jobs/10", "jobs/2", "jobs/_~"]);
    expect(await store.list("")).toHaveLength(9);
    expect(await store.list("none/")).toEqual([]);
    const page = async (most: number, before?: string) =>
      (await store.list("jobs/", { most, ...(before === undefined ? {} : { before }) })).map(
        ({ key }) => key,
      );
    expect(await page(2)).toEqual(["jobs/_~", "jobs/2"]);
    expect(await page(9, "jobs/2")).toEqual(["jobs/10", "jobs/1", "jobs/%"]);
    expect(await page(1, "jobs/%")).toEqual([]);
  });
}

function metadataRevisions(create: () => Promise<MetadataStore> | MetadataStore): void {
  test("the revision rises with each change and begins anew after a delete", async () => {
    const store = await create();
    expect(await store.create("a", utf8("1"))).toBe(1);
    expect(await store.put("a", utf8("2"))).toBe(2);
    expect(await store.put("a", utf8("3"), 2)).toBe(3);
    await store.delete("a", 3);

    expect(await store.get("a")).toBeUndefined();
    expect(await store.create("a", utf8("4"))).toBe(1);
  });

  test("creating what exists is refused and changes nothing", async () => {
    const store = await create();
    await store.create("a", utf8("1"));

    await expect(store.create("a", utf8("2"))).rejects.toMatchObject({ code: "ERR_STORAGE_EXISTS" });
    expect(await store.get("a")).toMatchObject({ value: utf8("1"), revision: 1 });
  });

  test("another revision than the present one is refused and changes nothing", async () => {
    const store = await create();
    await store.put("a", utf8("1"));
    await store.put("a", utf8("2"));

    for (const revision of [1, 3, 0]) {
      await expect(store.put("a", utf8("3"), revision)).rejects.toMatchObject({
        code: "ERR_STORAGE_CONFLICT",
      });
      await expect(store.delete("a", revision)).rejects.toMatchObject({ code: "ERR_STORAGE_CONFLICT" });
    }
    await expect(store.put("b", utf8("1"), 1)).rejects.toMatchObject({ code: "ERR_STORAGE_CONFLICT" });
    expect(await store.get("a")).toMatchObject({ value: utf8("2"), revision: 2 });
    expect(await store.get("b")).toBeUndefined();
  });

  test("deleting what is missing is no error", async () => {
    const store = await create();

    await store.delete("a");
    await store.delete("a", 5);
  });
}

function metadataConcurrency(create: () => Promise<MetadataStore> | MetadataStore): void {
  test("of many that create one key at once, one succeeds", async () => {
    const store = await create();

    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => store.create("code", utf8(String(index)))),
    );

    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("of many that change one revision at once, one succeeds", async () => {
    const store = await create();
    await store.create("a", utf8("0"));

    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => store.put("a", utf8(String(index)), 1)),
    );

    expect(tries.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(await store.get("a")).toMatchObject({ revision: 2 });
  });

  test("hundreds of writes at once all take effect, and one that is refused refuses no other", async () => {
    const store = await create();
    await store.create("taken", utf8("x"));

    const writes = Array.from({ length: 300 }, (_, index) =>
      index % 10 === 0 ? store.create("taken", utf8("y")) : store.put(`k/${index}`, utf8(String(index))),
    );
    const outcomes = await Promise.allSettled(writes);

    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(30);
    expect(await store.list("k/")).toHaveLength(270);
  });
}

function metadataMisuse(create: () => Promise<MetadataStore> | MetadataStore): void {
  test("keys and values beyond their limits are misuse", async () => {
    const store = await create();
    const fits = new Uint8Array(1_048_576).fill(1);

    await expect(store.put("", utf8("x"))).rejects.toThrow(RangeError);
    await expect(store.put("a b", utf8("x"))).rejects.toThrow(RangeError);
    await expect(store.put("ä", utf8("x"))).rejects.toThrow(RangeError);
    await expect(store.put("a\n", utf8("x"))).rejects.toThrow(RangeError);
    await expect(store.get("x".repeat(513))).rejects.toThrow(RangeError);
    await expect(store.list(" ")).rejects.toThrow(RangeError);
    await expect(store.put("a", new Uint8Array(1_048_577))).rejects.toThrow(RangeError);
    await store.put("x".repeat(512), fits);
    const read = await store.get("x".repeat(512));
    expect(equalBytes(read?.value ?? utf8(""), fits)).toBe(true); // toEqual looks at a million bytes one by one
  });
}

/** What every driver of the blob role keeps. @param create an empty store, once per test */
export function blobContract(name: string, create: () => Promise<BlobStore> | BlobStore): void {
  describe(`blobs in ${name}`, () => {
    blobContents(create);
    blobLives(create);
  });
}

// SHA-256 of the empty string and of "abc" (FIPS 180-4, example).
const EMPTY_DIGEST = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const ABC_DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

function blobContents(create: () => Promise<BlobStore> | BlobStore): void {
  test("a blob is named by the SHA-256 of its parts in order", async () => {
    const store = await create();

    expect(await store.put([utf8("a"), utf8("bc")])).toEqual({ digest: ABC_DIGEST, size: 3 });
    expect(await store.put(parts("abc"))).toEqual({ digest: ABC_DIGEST, size: 3 });
    expect(await store.put([])).toEqual({ digest: EMPTY_DIGEST, size: 0 });
    expect(await store.get(ABC_DIGEST)).toEqual(utf8("abc"));
    expect(await store.get(EMPTY_DIGEST)).toEqual(new Uint8Array(0));
  });

  test("gives parts from an offset, cut at the end", async () => {
    const store = await create();
    const content = Uint8Array.from({ length: 100_000 }, (_, index) => index % 251);
    const { digest } = await store.put([content]);

    expect(await store.get(digest, { offset: 99_990 })).toEqual(content.slice(99_990));
    expect(await store.get(digest, { offset: 10, length: 20 })).toEqual(content.slice(10, 30));
    expect(await store.get(digest, { offset: 99_999, length: 20 })).toEqual(content.slice(99_999));
    expect(await store.get(digest, { offset: 200_000, length: 20 })).toEqual(new Uint8Array(0));
  });

  test("a blob that is given may be changed without changing what is stored", async () => {
    const store = await create();
    await store.put([utf8("abc")]);
    (await store.get(ABC_DIGEST))?.fill(0);

    expect(await store.get(ABC_DIGEST)).toEqual(utf8("abc"));
  });
}

function blobLives(create: () => Promise<BlobStore> | BlobStore): void {
  test("what is missing is undefined, and deleting it is no error", async () => {
    const store = await create();

    expect(await store.get(ABC_DIGEST)).toBeUndefined();
    expect(await store.size(ABC_DIGEST)).toBeUndefined();
    await store.delete(ABC_DIGEST);
  });

  test("a deleted blob is gone and may come back", async () => {
    const store = await create();
    await store.put([utf8("abc")]);
    expect(await store.size(ABC_DIGEST)).toBe(3);

    await store.delete(ABC_DIGEST);

    expect(await store.get(ABC_DIGEST)).toBeUndefined();
    await store.put([utf8("abc")]);
    expect(await store.get(ABC_DIGEST)).toEqual(utf8("abc"));
  });

  test("parts that fail leave nothing", async () => {
    const store = await create();
    const failing = async function* (): AsyncGenerator<Bytes, void, void> {
      yield utf8("abc");
      throw new Error("the source ended");
    };

    await expect(store.put(failing())).rejects.toThrow("the source ended");

    expect(await store.get(ABC_DIGEST)).toBeUndefined();
  });

  test("many writers of one blob at once agree", async () => {
    const store = await create();

    const written = await Promise.all(Array.from({ length: 8 }, () => store.put([utf8("abc")])));

    expect(written.every(({ digest }) => digest === ABC_DIGEST)).toBe(true);
    expect(await store.get(ABC_DIGEST)).toEqual(utf8("abc"));
  });
}

async function* parts(text: string): AsyncGenerator<Bytes, void, void> {
  for (const character of text) yield utf8(character);
}

/** What every driver of the audit role keeps. @param create an empty store, once per test */
export function auditContract(
  name: string,
  create: () => Promise<AuditStore> | AuditStore,
  crypto: CryptoProvider,
): void {
  describe(`audit in ${name}`, () => {
    test("records follow each other without gaps and verify", async () => {
      const store = await create();
      const appended: AuditRecord[] = [];
      for (let index = 0; index < 5; index++) appended.push(await store.append(anEvent(index)));

      const read = await collect(store.read());

      expect(read).toEqual(appended);
      expect(read.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5]);
      expect(read.map(({ event }) => event)).toEqual([0, 1, 2, 3, 4].map(anEvent));
      expect(await verifyChain(crypto, read)).toEqual({ count: 5, hash: appended[4]?.hash });
      expect(await store.head()).toEqual(appended[4]);
    });

    test("records that are appended at once form one chain in the order of the calls", async () => {
      const store = await create();

      const appended = await Promise.all(
        Array.from({ length: 300 }, (_, index) => store.append(anEvent(index))),
      );

      expect(appended.map(({ sequence }) => sequence)).toEqual(appended.map((_, index) => index + 1));
      expect(new Set(appended.map(({ hash }) => toHex(hash))).size).toBe(300);
      expect(await verifyChain(crypto, store.read())).toMatchObject({ count: 300 });
    });

    test("names are read beside the chain, and a name that was changed there is found", async () => {
      const store = await create();
      const event = { ...anEvent(0), actor: "aa ada@example.org", details: { by: "eve", round: 1 } };
      await store.append(event);

      const [record] = await collect(store.read());

      expect(record?.event).toEqual(event);
      expect(Object.keys(record?.salts ?? {}).sort()).toEqual(["actor", "details.by", "object"]);
      expect((await collect(store.read()))[0]).toEqual(await store.head());
      const renamed = { ...event, actor: "aa bob@example.org" };
      await expect(verifyChain(crypto, record ? [{ ...record, event: renamed }] : [])).rejects.toMatchObject({
        sequence: 1,
      });
    });

    test("reads from a sequence on", async () => {
      const store = await create();
      for (let index = 0; index < 4; index++) await store.append(anEvent(index));

      expect((await collect(store.read(3))).map(({ sequence }) => sequence)).toEqual([3, 4]);
      expect(await collect(store.read(5))).toEqual([]);
    });

    test("an empty log has no head and no records", async () => {
      const store = await create();

      expect(await store.head()).toBeUndefined();
      expect(await collect(store.read())).toEqual([]);
    });

    test("an event beyond its limits is refused, and the chain goes on without it", async () => {
      const store = await create();
      await store.append(anEvent(0));
      const refused = store.append({ ...anEvent(1), reason: "x".repeat(2000) });
      const accepted = store.append(anEvent(2));

      await expect(refused).rejects.toThrow(RangeError);
      expect(await accepted).toMatchObject({ sequence: 2 });
      expect(await verifyChain(crypto, store.read())).toMatchObject({ count: 2 });
    });
  });
}

function anEvent(index: number): AuditEvent {
  return {
    atMs: 1_767_225_600_000 + index,
    actor: "site-1",
    action: "result",
    object: `task-${index}`,
    outcome: "accepted",
    reason: "",
    correlation: "job-1",
    details: { examples: 100 + index, device: "cpu", final: index === 4, norm: 0.5 },
  };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** What every driver of scratch space keeps. @param create a store, once per test */
export function scratchContract(name: string, create: () => Promise<ScratchStore> | ScratchStore): void {
  describe(`scratch space in ${name}`, () => {
    test("what was written is read, wherever it lies, and files are apart", async () => {
      const store = await create();
      const [first, second] = [await store.open(), await store.open()];
      await first.write(70_000, utf8("there"));
      await first.write(0, utf8("here"));
      await second.write(0, utf8("else"));

      const target = new Uint8Array(4);
      await first.read(70_001, target);
      expect(target).toEqual(utf8("here"));
      await first.read(0, target);
      expect(target).toEqual(utf8("here"));
      await second.read(0, target);
      expect(target).toEqual(utf8("else"));
      await Promise.all([first.close(), second.close()]);
    });

    test("a read beyond the end is refused", async () => {
      const file = await (await create()).open();
      await file.write(0, utf8("four"));

      await expect(file.read(2, new Uint8Array(4))).rejects.toMatchObject({ code: "ERR_STORAGE_CORRUPT" });
      await file.close();
      await file.close();
    });

    test("a file that was closed is gone", async () => {
      const file = await (await create()).open();
      await file.write(0, utf8("four"));
      await file.close();

      await expect(file.read(0, new Uint8Array(4))).rejects.toMatchObject({
        code: "ERR_STORAGE_UNAVAILABLE",
      });
      await expect(file.write(0, utf8("more"))).rejects.toMatchObject({ code: "ERR_STORAGE_UNAVAILABLE" });
    });
  });
}
