import * as v from "valibot";
import { directionOf, type FilterKind, type FilterPoint, type FilterRegistry } from "./filter.ts";

/** A filter by its name in the registry, with its arguments. */
export interface FilterDefinition {
  /** Name in the registry. */
  readonly name: string;
  /** Its arguments, as the registry wants them. */
  readonly args: object;
}

/** What is possible at each point, for people. */
const PURPOSES: Readonly<Record<FilterPoint, readonly ("model" | "update" | "metrics")[]>> = {
  "server-data": ["model"],
  "site-data": ["model"],
  "site-result": ["update", "metrics"],
  "server-result": ["update", "metrics"],
};

/** Most filters of one list. */
export const MAX_FILTERS = 16;

/**
 * A list of filters at a point. One that there cannot change anything is refused: it would promise what it does not do.
 * @param options `hasDirection`: each entry may say the direction, as in FLARE's files; it can only be that of the point
 */
export function filterListSchema(
  point: FilterPoint,
  registry: FilterRegistry,
  { hasDirection = false }: { readonly hasDirection?: boolean } = {},
): v.GenericSchema<unknown, readonly FilterDefinition[]> {
  const kinds = [...registry.values()].filter((kind) => isOfUse(kind, point));
  const direction = v.exactOptional(directionAt(point));
  const options = kinds.map(({ name, schema }) => {
    const entries = { name: v.literal(name), args: argumentsOf(schema) };
    return hasDirection ? v.strictObject({ ...entries, direction }) : v.strictObject(entries);
  });
  const names = kinds.map(({ name }) => name).join(", ");
  return v.pipe(
    v.array(v.variant("name", options, `one of ${names}`), "a list of filters"),
    v.maxLength(MAX_FILTERS, `at most ${MAX_FILTERS} filters`),
  );
}

function isOfUse({ understands }: FilterKind, point: FilterPoint): boolean {
  return understands.some((kind) => PURPOSES[point].includes(kind));
}

function directionAt(point: FilterPoint): v.GenericSchema<unknown, string> {
  const way = directionOf(point);
  return v.pipe(
    v.string("text"),
    v.regex(new RegExp(`^(${way}|inout)$`, "i"), `${way} or inout: nothing goes another way here`),
  );
}

/** Where there is nothing to say, nothing need be said. */
function argumentsOf(schema: FilterKind["schema"]): v.GenericSchema<unknown, object> {
  return v.is(schema, {}) ? v.optional(schema, {}) : schema;
}
