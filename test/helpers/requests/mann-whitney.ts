/**
 * How likely two samples of one distribution would differ as much as these (Mann-Whitney U test, two-sided,
 * normal approximation). It compares ranks: a few slow outliers on a busy machine do not matter.
 */
export function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const sorted = [...a, ...b].sort((x, y) => x - y)
  const rankOf = (value: number) => (sorted.indexOf(value) + sorted.lastIndexOf(value)) / 2 + 1
  const rankSum = a.reduce((sum, value) => sum + rankOf(value), 0)
  const u = rankSum - (a.length * (a.length + 1)) / 2
  const mean = (a.length * b.length) / 2
  const deviation = Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12)
  return twoTails(Math.abs(u - mean) / deviation)
}

/** Both tails of the normal distribution beyond z (Abramowitz and Stegun 7.1.28, good to 3e-7). */
function twoTails(z: number): number {
  const x = z / Math.SQRT2
  const series =
    1 +
    x *
      (0.0705230784 +
        x * (0.0422820123 + x * (0.0092705272 + x * (0.0001520143 + x * (0.0002765672 + x * 0.0000430638)))))
  return series ** -16
}
