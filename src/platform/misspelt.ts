/**
 * Unknown names that look like known ones: case, underscores, a plural, the prefix `KEYTURN_` or a letter or
 * two are wrong. What is shorter than six letters only counts by the first of these, since other programs have names, too.
 *
 * @returns each with the one that was meant.
 */
export function misspelt(
  names: readonly string[],
  known: readonly string[],
): [name: string, meant: string][] {
  const found: [string, string][] = []
  for (const name of names) {
    if (known.includes(name)) continue
    const meant = known.find((one) => looksLike(plain(name), plain(one)))
    if (meant) found.push([name, meant])
  }
  return found
}

const plain = (name: string) =>
  name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, '')
    .replace(/IES$/, 'Y')
    .replace(/S$/, '')

function looksLike(name: string, known: string): boolean {
  if (known.length < 6) return name === known
  if (name === `KEYTURN${known}`) return true
  const most = known.length < 9 ? 1 : 2
  return Math.abs(name.length - known.length) <= most && distance(name, known) <= most
}

/** How many letters have to be added, left out, changed or swapped with the next one (optimal string alignment). */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity
      row.push(Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same, swapped))
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
