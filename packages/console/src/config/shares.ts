/**
 * Shares of 100 with one of them set: the others keep their proportions among themselves, in whole numbers. Where the
 * others have nothing, they share alike.
 */
export function withShare(weights: readonly number[], index: number, share: number): number[] {
  const rest = 100 - share;
  const others = weights.map((weight, at) => (at === index ? 0 : weight));
  const sum = others.reduce((all, weight) => all + weight, 0);
  const exact = weights.map((_, at) => {
    if (at === index) return share;
    return sum === 0 ? rest / (weights.length - 1) : (others[at]! * rest) / sum;
  });
  const whole = exact.map(Math.floor);
  // What rounding left over goes to those who lost most by it.
  const byLoss = exact
    .map((value, at) => ({ at, loss: value - Math.floor(value) }))
    .toSorted((a, b) => b.loss - a.loss);
  let left = 100 - whole.reduce((all, value) => all + value, 0);
  for (const { at } of byLoss) {
    if (left <= 0) break;
    if (at === index && weights.length > 1) continue;
    whole[at]!++;
    left--;
  }
  return whole;
}

/** Weights as shares of 100. */
export function sharesOf(weights: readonly number[]): number[] {
  const sum = weights.reduce((all, weight) => all + weight, 0);
  if (sum === 100) return [...weights];
  if (sum === 0) return weights.map((_, at) => (at === 0 ? 100 : 0));
  const first = Math.round((weights[0]! * 100) / sum);
  return weights.length === 1 ? [100] : withShare(weights, 0, first);
}
