/** A word may differ from a known one by so many letters to be taken for it, and by no more than half of its own. */
const MAX_DISTANCE = 3;

/** The known word that was probably meant, or `undefined` when none is near. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  if (word.length > 64) return undefined;
  const limit = Math.min(MAX_DISTANCE, Math.floor(word.length / 2));
  const ranked = known
    .map((candidate) => ({ candidate, distance: distanceOf(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((left, right) => left.distance - right.distance);
  return ranked[0]?.candidate;
}

/** Optimal string alignment: letters to add, drop, change or exchange with the next. */
function distanceOf(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const isSame = left[row - 1] === right[column - 1];
      const change = cell(rows, row - 1, column - 1) + (isSame ? 0 : 1);
      const best = Math.min(change, cell(rows, row - 1, column) + 1, (current[column - 1] ?? 0) + 1);
      const isExchange =
        row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      current.push(isExchange ? Math.min(best, cell(rows, row - 2, column - 2) + 1) : best);
    }
    rows.push(current);
  }
  return cell(rows, left.length, right.length);
}

function cell(rows: readonly (readonly number[])[], row: number, column: number): number {
  return rows[row]?.[column] ?? 0;
}
