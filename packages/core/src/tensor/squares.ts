/**
 * Σ v² in float64, in the order of the values: not finite exactly when one of them is NaN or infinite. By index, in a
 * function that does not wait: a fifth of the time of iterating. Whoever has many values gives other work its turns.
 */
export function squaresOf(values: Float32Array): number {
  let squares = 0;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? 0;
    squares += value * value;
  }
  return squares;
}
