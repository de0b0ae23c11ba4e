import { javascriptKernels, type KernelBuffer } from "@photinus/core/kernels";
import { describe, expect, test } from "vitest";
import { UploadSlots } from "../../src/coordinator/upload-slots.ts";

const forever = new AbortController().signal;

describe("upload slots", () => {
  test("admit K at once, the others when one is given back", async () => {
    const slots = new UploadSlots(2, javascriptKernels());
    const first = await slots.acquire("job", 10, forever);
    await slots.acquire("job", 10, forever);
    let third = false;
    const waiting = slots.acquire("job", 10, forever).then((slot) => {
      third = true;
      return slot;
    });
    await Promise.resolve();
    expect(third).toBe(false);

    first.release();

    expect((await waiting).bytes).toHaveLength(10);
  });

  test("use their buffers again: K buffers, whatever the number of uploads", async () => {
    const slots = new UploadSlots(2, javascriptKernels());
    const buffers = new Set<ArrayBufferLike>();
    for (let upload = 0; upload < 20; upload++) {
      const [a, b] = [await slots.acquire("job", 100, forever), await slots.acquire("job", 60, forever)];
      buffers.add(a.bytes.buffer).add(b.bytes.buffer);
      a.release();
      b.release();
    }

    expect(buffers.size).toBeLessThanOrEqual(3); // one of 60 bytes may have been too small once
  });

  test("give the memory of their buffers back: of one that is too small, and of all when no job runs", async () => {
    let live = 0;
    const buffer = (byteLength: number): KernelBuffer => {
      live += 1;
      return { bytes: new Uint8Array(byteLength), release: () => live-- };
    };
    const slots = new UploadSlots(1, { buffer });
    for (const byteLength of [10, 20, 5, 30]) (await slots.acquire("job", byteLength, forever)).release();
    expect(live).toBe(1);

    slots.trim();

    expect(live).toBe(0);
  });

  test("serve jobs in turn, so that one of many sites does not keep another waiting", async () => {
    const slots = new UploadSlots(1, javascriptKernels());
    const held = await slots.acquire("big", 1, forever);
    const served: string[] = [];
    const ask = (job: string) =>
      slots.acquire(job, 1, forever).then((slot) => {
        served.push(job);
        slot.release();
      });
    const all = [ask("big"), ask("big"), ask("big"), ask("small")];

    held.release();
    await Promise.all(all);

    expect(served).toEqual(["big", "small", "big", "big"]);
  });

  test("forget who gave up waiting", async () => {
    const slots = new UploadSlots(1, javascriptKernels());
    const held = await slots.acquire("job", 1, forever);
    const stop = new AbortController();
    const waiting = slots.acquire("job", 1, stop.signal);
    stop.abort(new Error("gone"));
    await expect(waiting).rejects.toThrow("gone");

    held.release();
    held.release(); // once is enough

    await slots.acquire("job", 1, forever);
    let second = false;
    slots.acquire("job", 1, forever).then(
      () => {
        second = true;
      },
      () => undefined,
    );
    await Promise.resolve();
    expect(second).toBe(false);
  });
});

test("a parked slot keeps its bytes until somebody else needs it, and is spilled before", async () => {
  const slots = new UploadSlots(2, javascriptKernels());
  const [first, second] = [await slots.acquire("a", 4, forever), await slots.acquire("a", 4, forever)];
  first.bytes.fill(7);
  const spilled: number[][] = [];
  const parked = first.park(async (bytes) => void spilled.push([...bytes]));

  const waiting = slots.acquire("b", 4, forever);
  const third = await waiting;

  expect(spilled).toEqual([[7, 7, 7, 7]]);
  await parked.spilled;
  expect(parked.reclaim()).toBeUndefined();
  expect(third.bytes.buffer).toBe(first.bytes.buffer); // no third buffer: K live at most
  second.release();
});

test("a parked slot that nobody needs is reclaimed as it was left", async () => {
  const slots = new UploadSlots(1, javascriptKernels());
  const first = await slots.acquire("a", 4, forever);
  first.bytes.fill(7);
  let spills = 0;
  const parked = first.park(async () => {
    spills += 1;
  });

  const again = parked.reclaim();

  expect([...(again?.bytes ?? [])]).toEqual([7, 7, 7, 7]);
  expect(parked.reclaim()).toBeUndefined();
  expect(spills).toBe(0);
  again?.release();
  expect((await slots.acquire("b", 4, forever)).bytes.buffer).toBe(first.bytes.buffer);
});

test("the slot that was parked first is spilled first, and only as many as are waited for", async () => {
  const slots = new UploadSlots(2, javascriptKernels());
  const order: string[] = [];
  for (const name of ["one", "two"]) {
    (await slots.acquire("a", 1, forever)).park(async () => void order.push(name));
  }

  await slots.acquire("b", 1, forever);
  expect(order).toEqual(["one"]);

  await slots.spillAll();
  expect(order).toEqual(["one", "two"]);
});

test("what is dropped is not spilled, and a spill that fails gives its slot all the same", async () => {
  const slots = new UploadSlots(1, javascriptKernels());
  let spills = 0;
  const dropped = (await slots.acquire("a", 1, forever)).park(async () => {
    spills += 1;
  });
  dropped.drop();
  await dropped.spilled;
  const failing = (await slots.acquire("a", 1, forever)).park(() => Promise.reject(new Error("disk full")));

  const next = await slots.acquire("b", 1, forever);

  await failing.spilled;
  expect(spills).toBe(0);
  expect(() => next.park(async () => undefined)).not.toThrow();
  expect(() => next.park(async () => undefined)).toThrow(RangeError);
});
