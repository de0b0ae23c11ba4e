/** Compares two places and leaves the smaller value in `low`, the larger in `high`. */
export interface Comparator {
  readonly low: number;
  readonly high: number;
}

/**
 * Batcher's merge exchange for any number of values (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M),
 * without the comparators that the sorted places `from` to `to` − 1 do not depend on. The other places are then not sorted.
 */
export function sortingNetwork(count: number, from = 0, to: number = count): readonly Comparator[] {
  const network = mergeExchange(count);
  const needed = new Set(Array.from({ length: to - from }, (_, index) => from + index));
  const kept = network.toReversed().filter(({ low, high }) => {
    if (!needed.has(low) && !needed.has(high)) return false;
    needed.add(low).add(high);
    return true;
  });
  return kept.toReversed();
}

function mergeExchange(count: number): readonly Comparator[] {
  const network: Comparator[] = [];
  const top = 2 ** Math.max(0, Math.ceil(Math.log2(count)) - 1);
  for (let p = top; p >= 1; p /= 2) {
    let [q, r, d] = [top, 0, p];
    for (;;) {
      for (let low = 0; low < count - d; low++) if ((low & p) === r) network.push({ low, high: low + d });
      if (q === p) break;
      [d, q, r] = [q - p, q / 2, p];
    }
  }
  return network;
}
