/** Keys and indices from the root to a value; `<Name>` for the parts of a registered value. */
export type Path = (string | number)[];

/** The path as people read it: `$.parameters[3].<Tensor>`. Keys of a peer are escaped and cut. */
export function describePath(path: Path): string {
  let text = "$";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w<>-]{1,64}$/.test(step)) text += `.${step}`;
    else text += `[${describeKey(step)}]`;
  }
  return text;
}

/** A key of a peer, quoted, escaped and cut to 64 characters. */
export function describeKey(key: string): string {
  return JSON.stringify(key.length > 64 ? `${key.slice(0, 64)}...` : key);
}
