/** What was written, with the defaults for what was not; maps inside are filled in where they were written. */
export function withDefaults(written: unknown, defaults: object): unknown {
  if (!isMap(written)) return written;
  const filled = Object.entries(defaults).flatMap(([key, value]): (readonly [string, unknown])[] => {
    const present = Object.hasOwn(written, key);
    if (isMap(value)) return present ? [[key, withDefaults(written[key], value)]] : [];
    return present ? [] : [[key, value]];
  });
  return { ...written, ...Object.fromEntries(filled) };
}

/** A JSON Schema in which what has a default may be left out. */
export function withOptional(schema: unknown, defaults: object): unknown {
  if (!isMap(schema)) return schema;
  const { properties, required } = schema;
  if (!isMap(properties)) return schema;
  const changed = Object.entries(defaults).map(([key, value]) => [
    key,
    isMap(value) ? withOptional(properties[key], value) : { ...inside(properties[key]), default: value },
  ]);
  const isNeeded = (key: unknown): boolean =>
    typeof key === "string" && (!Object.hasOwn(defaults, key) || isMap(Reflect.get(defaults, key)));
  return {
    ...schema,
    properties: { ...properties, ...Object.fromEntries(changed) },
    required: Array.isArray(required) ? required.filter(isNeeded) : [],
  };
}

function inside(schema: unknown): object {
  return isMap(schema) ? schema : {};
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
