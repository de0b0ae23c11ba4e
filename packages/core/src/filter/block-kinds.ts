import * as v from "valibot";
import { defineFilter } from "./define.ts";
import { DATA_KINDS, type FilterKind } from "./filter.ts";
import { refused } from "./values.ts";

const NAME = "block-kinds";

/**
 * These kinds of data do not pass. Metrics stay here and the rest of the result goes without them; a model or an update that
 * is blocked refuses its task, which is nothing without it. FLARE: DXOBlocker.
 */
export const blockKinds: FilterKind = defineFilter({
  name: NAME,
  understands: DATA_KINDS,
  schema: v.strictObject({
    kinds: v.pipe(
      v.array(v.picklist(DATA_KINDS, DATA_KINDS.map((kind) => JSON.stringify(kind)).join(", "))),
      v.minLength(1, "at least one"),
      v.maxLength(DATA_KINDS.length, `at most ${DATA_KINDS.length}`),
    ),
  }),
  create: ({ kinds }) => {
    const blocked: ReadonlySet<string> = new Set(kinds);
    return (data) => {
      if (!blocked.has(data.kind)) return Promise.resolve({ data, numbers: { blocked: 0 } });
      if (data.kind === "metrics") return Promise.resolve({ data: undefined, numbers: { blocked: 1 } });
      return Promise.reject(refused(NAME, `no ${data.kind} may pass here`));
    };
  },
});
