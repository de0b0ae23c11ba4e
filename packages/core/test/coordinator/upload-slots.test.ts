import { describe, expect, test } from "vitest";
import { UploadSlots } from "../../src/coordinator/upload-slots.ts";

const forever = new AbortController().signal;

describe("upload slots", () => {
  test("admit K at once, the others when one is given back", async () => {
    const slots = new UploadSlots(2);
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
    const slots = new UploadSlots(2);
    const buffers = new Set<ArrayBufferLike>();
    for (let upload = 0; upload < 20; upload++) {
      const [a, b] = [await slots.acquire("job", 100, forever), await slots.acquire("job", 60, forever)];
      buffers.add(a.bytes.buffer).add(b.bytes.buffer);
      a.release();
      b.release();
    }

    expect(buffers.size).toBeLessThanOrEqual(3); // one of 60 bytes may have been too small once
  });

  test("serve jobs in turn, so that one of many sites does not keep another waiting", async () => {
    const slots = new UploadSlots(1);
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
    const slots = new UploadSlots(1);
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
