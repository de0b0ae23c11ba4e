import { describe, expect, test } from "vitest";
import { utf8 } from "../../bytes/index.ts";
import { type Bus, MAX_NOTICE_BYTES } from "../../platform/index.ts";

/**
 * What every driver of the bus role keeps.
 * @param create the ends of two processes on one bus, once per test @param settle waits until notices have arrived
 */
export function busContract(
  name: string,
  create: () => Promise<readonly [Bus, Bus]> | readonly [Bus, Bus],
  settle: () => Promise<unknown>,
): void {
  describe(`bus in ${name}`, () => {
    test("a notice reaches all who listen to its subject, in order, and nobody else", async () => {
      const [near, far] = await create();
      const heard: string[] = [];
      far.subscribe("a", { take: ([byte]) => void heard.push(`far ${byte}`) });
      near.subscribe("a", { take: ([byte]) => void heard.push(`near ${byte}`) });
      far.subscribe("b", { take: () => void heard.push("b") });

      near.publish("a", Uint8Array.of(1));
      near.publish("a", Uint8Array.of(2));
      await settle();

      expect(heard.filter((line) => line.startsWith("far"))).toEqual(["far 1", "far 2"]);
      expect(heard.filter((line) => line.startsWith("near"))).toEqual(["near 1", "near 2"]);
      expect(heard).not.toContain("b");
    });

    test("a listener that has left hears nothing, and the others go on", async () => {
      const [near, far] = await create();
      const heard: string[] = [];
      const leave = far.subscribe("a", { take: () => void heard.push("first") });
      far.subscribe("a", { take: () => void heard.push("second") });

      leave();
      leave();
      near.publish("a", utf8("x"));
      await settle();

      expect(heard).toEqual(["second"]);
    });

    test("a notice is a copy, and touch is there", async () => {
      const [near, far] = await create();
      const heard: number[] = [];
      far.subscribe("a", { take: ([byte = 0]) => void heard.push(byte) });
      const notice = Uint8Array.of(7);

      near.publish("a", notice);
      notice.fill(0);
      await settle();

      expect(heard).toEqual([7]);
      expect([near.cutSinceMs, far.cutSinceMs]).toEqual([undefined, undefined]);
    });

    test("a notice that is too long is refused", async () => {
      const [near] = await create();

      expect(() => near.publish("a", new Uint8Array(MAX_NOTICE_BYTES + 1))).toThrow(RangeError);
    });
  });
}
